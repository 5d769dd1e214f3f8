//! `cargo xtask test`: the tiers in order, what each needs, and the closing line that counts everything.
//! Deliberately knows no test by name; a tier is where a test file lies and what it is called.

mod expected;
mod suite;
mod tally;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::ValueEnum;

pub(crate) use self::suite::{Suite, report};
pub(crate) use self::tally::{Skip, Tally};
use crate::error::Error;
use crate::program::{cargo, run as run_program};
use crate::talk::{complain, say};
use crate::workspace::Workspace;
use crate::{fuzz, guest, lint, setup};

/// What `cargo xtask test` takes.
#[derive(clap::Args, Default)]
pub(crate) struct Args {
    /// Run only these tiers; without it, all of them
    #[arg(long = "tier", value_delimiter = ',')]
    tiers: Vec<Tier>,
    /// Run only tests whose name contains this
    #[arg(long)]
    filter: Option<String>,
    /// Run only tests of these packages; without it, of the whole workspace
    #[arg(short, long = "package")]
    packages: Vec<String>,
    /// The guest's kernel, by the Debian release that it comes from
    #[arg(long, value_enum, default_value_t)]
    kernel: guest::Release,
}

/// A set of tests with the same needs. One without tests does not exist yet.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Tier {
    /// Formatting, clippy, tidy
    Lint,
    /// Library, binary and documentation tests, plan fixtures
    Unit,
    /// Integration tests named netns_*: real namespaces of this kernel
    Netns,
    /// Arbitrary inputs for what reads documents and the kernel: the targets of fuzz/, some thousand inputs each
    Fuzz,
    /// Integration tests named guest_*: another kernel, under QEMU
    Guest,
}

impl Tier {
    /// As in `--tier`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Lint => "lint",
            Self::Unit => "unit",
            Self::Netns => "netns",
            Self::Fuzz => "fuzz",
            Self::Guest => "guest",
        }
    }

    /// What a machine must have beyond cargo.
    fn needs(self) -> &'static str {
        match self {
            Self::Lint => "rustfmt and clippy",
            Self::Unit | Self::Netns => "root, in a place where namespaces and tmpfs can be made",
            Self::Fuzz => "a C++ compiler, for libFuzzer",
            Self::Guest => "qemu-system-x86_64 and the guest kernel (a fetch of 40 MB, once)",
        }
    }
}

/// Set-up, tiers, closing line.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<ExitCode, Error> {
    setup::packages(workspace)?;
    let mut total = Tally::default();
    for tier in Tier::value_variants() {
        if args.tiers.is_empty() || args.tiers.contains(tier) {
            total += timed(workspace, *tier, args);
        }
    }
    Ok(close(&total))
}

/// [`run`] with all tiers, and the licence check in front.
pub(crate) fn ci(workspace: &Workspace) -> Result<ExitCode, Error> {
    setup::packages(workspace)?;
    let mut total = expected::judged(Tier::Lint, lint::deny(workspace));
    for tier in Tier::value_variants() {
        total += timed(workspace, *tier, &Args::default());
    }
    Ok(close(&total))
}

/// The last line, alone.
fn close(total: &Tally) -> ExitCode {
    say!("{} passed, {} failed, {} skipped", total.passed, total.failed, total.skips.len());
    if total.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// One tier, with its heading, its time and its judged skips; a tier that cannot run is one failure.
fn timed(workspace: &Workspace, tier: Tier, args: &Args) -> Tally {
    let start = Instant::now();
    say!("== {} (needs {})", tier.name(), tier.needs());
    let tally = one_tier(workspace, tier, args).unwrap_or_else(|error| {
        complain!("{}: {error}", tier.name());
        Tally::one_failure()
    });
    let mut tally = expected::judged(tier, tally);
    if tally == Tally::default() && args.filter.is_none() && args.packages.is_empty() {
        complain!("{}: nothing ran, and nothing was asked to be left out", tier.name());
        tally = Tally::one_failure();
    }
    let (passed, failed, skipped) = (tally.passed, tally.failed, tally.skips.len());
    let seconds = start.elapsed().as_secs_f64();
    say!("== {}: {passed} passed, {failed} failed, {skipped} skipped in {seconds:.1} s", tier.name());
    tally
}

/// Builds and runs what belongs to the tier.
fn one_tier(workspace: &Workspace, tier: Tier, args: &Args) -> Result<Tally, Error> {
    if tier == Tier::Lint {
        return Ok(lint::tally(workspace));
    }
    if tier == Tier::Fuzz {
        // Targets are of no package of the workspace.
        let wanted = args.packages.is_empty();
        return if wanted { fuzz::tally(workspace, args.filter.as_deref()) } else { Ok(Tally::default()) };
    }
    let binary = binary_under_test(workspace)?;
    let suites = suite::build(workspace, tier, &args.packages)?;
    let filter = args.filter.as_deref();
    if tier == Tier::Guest {
        return guest::tally(
            workspace,
            &guest::Plan { suites: &suites, binary: &binary, filter, release: args.kernel },
        );
    }
    let mut tally = Tally::default();
    for suite in &suites {
        tally += suite.run(workspace, &binary, filter)?;
    }
    if tier == Tier::Unit {
        tally += suite::doc_tests(workspace, &args.packages, filter)?;
    }
    Ok(tally)
}

/// The `wireloom` that black-box tests run: the released one, so that what users get is what was tested.
fn binary_under_test(workspace: &Workspace) -> Result<PathBuf, Error> {
    run_program(cargo().args(["build", "--release", "--quiet"]).current_dir(&workspace.root))?;
    Ok(workspace.target.join("release/wireloom"))
}
