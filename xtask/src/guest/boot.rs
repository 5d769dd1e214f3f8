//! One boot: QEMU with options that are known to work, and reading the console that init.sh writes.
//! Deliberately takes the guest's word for nothing but what libtest prints in it.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::Plan;
use super::kernel::Kernel;
use crate::error::Error;
use crate::program::{program, run_limited};
use crate::talk::complain;
use crate::test::{Tally, report};

/// Far more than any boot takes; a guest that hangs is ended.
const LIMIT: Duration = Duration::from_secs(15 * 60);

/// The kernel's command line: no waiting, no mitigations (TCG is slow enough), random numbers at once.
const COMMAND_LINE: &str = "console=ttyS0 quiet panic=-1 rdinit=/init tsc=reliable no_timer_check nokaslr \
                            mitigations=off audit=0 cryptomgr.notests random.trust_cpu=on";

/// Boots, and counts what the test programs said.
pub(super) fn run(kernel: &Kernel, initramfs: &Path, console: &Path, plan: &Plan<'_>) -> Result<Tally, Error> {
    let _ = fs::remove_file(console); // that of the boot before
    let status = run_limited(&mut qemu(kernel, initramfs), console, LIMIT)?;
    let bytes = fs::read(console).map_err(Error::file("read", console))?;
    let text = String::from_utf8_lossy(&bytes).replace('\r', "");
    let programs = programs(&text);
    let mut tally = Tally::default();
    for (suite, it) in plan.suites.iter().zip(&programs) {
        let one = Tally::of(&it.output, &it.skips, it.status == Some(0));
        report(&suite.name, &one, &it.output, it.took);
        tally += one;
    }
    if !text.contains("@@ done") || programs.len() != plan.suites.len() {
        let how = status.map_or("hung".to_owned(), |status| format!("ended with {status}"));
        complain!("the guest {how} before all tests had run; its console:\n{text}");
        tally += Tally::one_failure();
    }
    Ok(tally)
}

/// `cx16` off: QEMU 7.2 crashes in a third of the boots with it. `-M pc`: microvm hangs. No KVM: it need not be there.
fn qemu(kernel: &Kernel, initramfs: &Path) -> Command {
    let mut command = program("qemu-system-x86_64");
    command.args(["-nodefaults", "-no-user-config", "-M", "pc", "-accel", "tcg,thread=multi", "-cpu", "max,-cx16"]);
    command.args(["-smp", "1", "-m", "512", "-display", "none", "-no-reboot", "-serial", "stdio"]);
    command.arg("-kernel").arg(&kernel.vmlinux).arg("-initrd").arg(initramfs).args(["-append", COMMAND_LINE]);
    command
}

/// What the console shows of one test program.
#[derive(Default)]
struct Program {
    output: String,
    skips: String,
    status: Option<i32>,
    /// Seconds after boot.
    start: f64,
    /// What follows is the kernel's.
    ended: bool,
    took: Duration,
}

/// Splits the console at init.sh's marks; a mark may follow an unfinished line of the test program.
fn programs(console: &str) -> Vec<Program> {
    let mut programs: Vec<Program> = Vec::new();
    for line in console.lines() {
        let (before, mark) = line.split_once("@@ ").map_or((line, None), |(before, mark)| (before, Some(mark)));
        let (word, rest) = mark.and_then(|mark| mark.split_once(' ')).unwrap_or((mark.unwrap_or_default(), ""));
        let uptime = || rest.trim().parse().unwrap_or(0.0);
        if word == "start" {
            programs.push(Program { start: uptime(), ..Program::default() });
        }
        let Some(program) = programs.last_mut() else { continue };
        match word {
            "skip" => program.skips.push_str(&format!("{rest}\n")),
            "status" => program.status = rest.trim().parse().ok(),
            "end" => {
                program.took = Duration::from_secs_f64((uptime() - program.start).max(0.0));
                program.ended = true;
            }
            _ => {}
        }
        if !program.ended && (mark.is_none() || !before.is_empty()) {
            program.output.push_str(&format!("{before}\n"));
        }
    }
    programs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_console_is_split_by_program() {
        let console = "boot noise\n@@ start 2.5\nrunning 1 test\nunfinished@@ status 101\n@@ skip vlan\ttest\n@@ end 3.1\n\
                       @@ start 3.2\ntest result: ok. 1 passed; 0 failed\n@@ status 0\n@@ end 4.2\n@@ done\nreboot: Restarting system\n";
        let [first, second] = programs(console).try_into().ok().unwrap();
        assert_eq!(
            (&*first.output, &*first.skips, first.status),
            ("running 1 test\nunfinished\n", "vlan\ttest\n", Some(101))
        );
        assert_eq!((first.took, second.took), (Duration::from_secs_f64(3.1 - 2.5), Duration::from_secs_f64(4.2 - 3.2)));
        assert_eq!(second.output, "test result: ok. 1 passed; 0 failed\n");
        assert_eq!(Tally::of(&second.output, &second.skips, second.status == Some(0)).passed, 1);
    }

    #[test]
    fn a_program_that_never_ended_has_no_status() {
        assert_eq!(programs("@@ start 2.5\nrunning 1 test\n")[0].status, None);
    }
}
