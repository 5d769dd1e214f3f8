//! The guest tier: test programs under another kernel, in QEMU without KVM, for what the running kernel lacks.
//! One boot runs them all. Deliberately does not know what they test.

mod boot;
mod cpio;
mod image;
mod kernel;
mod modules;

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::error::Error;
use crate::talk::say;
use crate::test::{Suite, Tally};
use crate::workspace::Workspace;

/// The Debian release that the guest's kernel comes from.
#[derive(Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Release {
    /// Debian 13, Linux 6.12
    #[default]
    Trixie,
    /// Debian 12, Linux 6.1; unpacking it needs Debian's package lz4
    Bookworm,
}

impl Release {
    /// As in Debian's archive.
    fn codename(self) -> &'static str {
        match self {
            Self::Trixie => "trixie",
            Self::Bookworm => "bookworm",
        }
    }
}

/// What to run in the guest.
pub(crate) struct Plan<'a> {
    /// The test programs.
    pub(crate) suites: &'a [Suite],
    /// The `wireloom` for black-box tests.
    pub(crate) binary: &'a Path,
    /// Only tests whose name contains this.
    pub(crate) filter: Option<&'a str>,
    /// Which kernel.
    pub(crate) release: Release,
}

/// Fetches and unpacks the default guest kernel, unless that has been done.
pub(crate) fn fetch(workspace: &Workspace) -> Result<(), Error> {
    let kernel = kernel::ready(&folder(workspace), Release::default())?;
    say!("setup: guest kernel {} is ready", kernel.version);
    Ok(())
}

/// Boots once and runs everything.
pub(crate) fn tally(workspace: &Workspace, plan: &Plan<'_>) -> Result<Tally, Error> {
    if plan.suites.is_empty() {
        return Ok(Tally::default());
    }
    let folder = folder(workspace);
    let kernel = kernel::ready(&folder, plan.release)?;
    say!("guest: Linux {}", kernel.version);
    let initramfs = folder.join("initramfs.cpio");
    image::build(workspace, &kernel, plan, &initramfs)?;
    boot::run(&kernel, &initramfs, &folder.join("console.log"), plan)
}

/// Where everything fetched and built for the guest is kept.
fn folder(workspace: &Workspace) -> PathBuf {
    workspace.target.join("guest")
}
