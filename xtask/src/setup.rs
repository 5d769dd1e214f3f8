//! What the tests need from Debian: the list with its reasons, and installing what is missing.
//! Deliberately does not know how any of it is used, and touches nothing that is already there.

use std::path::Path;
use std::process::ExitCode;

use crate::error::Error;
use crate::guest;
use crate::program::{program, read_text, run_logged};
use crate::talk::say;
use crate::workspace::Workspace;

/// A Debian package and what the tests do with it; the names are the same in Debian 12 and 13.
struct Needed(&'static str, &'static str);

// A slice: whoever adds one need not count.
const PACKAGES: &[Needed] = &[
    Needed("iproute2", "ip and tc: the observer that is not our own code"),
    Needed("iputils-ping", "packets that cross what was made"),
    Needed("procps", "sysctl, and what a namespace still runs"),
    Needed("nftables", "nft: rules read back, and Docker's ones made for us to meet"),
    Needed("conntrack", "flows read back"),
    Needed("ethtool", "link settings read back"),
    Needed("systemd", "verifies the units that are shipped; nothing of it is started"),
    Needed("tcpdump", "reads what `wireloom capture` has written"),
    Needed("frr", "routers of the OSPF example: real daemons, several on one machine"),
    Needed("dnsmasq-base", "a daemon that gives out addresses, twice on one machine"),
    Needed("g++", "libFuzzer, which the fuzz targets are linked with, is C++"),
    Needed("strace", "SIGKILL before the Nth request, in the fault tests"),
    Needed("qemu-system-x86", "the guest kernel, for what this kernel lacks"),
    Needed("busybox-static", "the guest's user space"),
    Needed("kmod", "depmod: the guest's modules in loading order"),
    Needed("xz-utils", "unpacks the guest's modules"),
    Needed("zstd", "unpacks the guest's kernel"),
];

/// `cargo xtask setup`: packages, and the guest kernel.
pub(crate) fn run(workspace: &Workspace) -> Result<ExitCode, Error> {
    packages(workspace)?;
    guest::fetch(workspace)?;
    Ok(ExitCode::SUCCESS)
}

/// Says what is missing and why it is needed, then installs it; the log is target/xtask/apt.log.
pub(crate) fn packages(workspace: &Workspace) -> Result<(), Error> {
    let missing: Vec<_> = PACKAGES.iter().filter(|Needed(name, _)| !is_installed(name)).collect();
    if missing.is_empty() {
        say!("setup: all Debian packages that the tests need are installed");
        return Ok(());
    }
    say!("setup: installing from Debian, for the tests only:");
    missing.iter().for_each(|Needed(name, why)| say!("  {name:<16} {why}"));
    let names: Vec<_> = missing.iter().map(|Needed(name, _)| *name).collect();
    if !is_root()? {
        return Err(Error::NotRoot { packages: names.join(" ") });
    }
    let log = workspace.target.join("xtask/apt.log");
    apt_get(&["update"], &log)?;
    apt_get(&[&["install", "-y", "--no-install-recommends"], names.as_slice()].concat(), &log)
}

/// Whether dpkg has it, unpacked and configured.
fn is_installed(package: &str) -> bool {
    let status = read_text(program("dpkg-query").args(["-W", "-f", "${db:Status-Status}", package]));
    status.is_ok_and(|status| status == "installed")
}

/// Whether apt-get may install.
fn is_root() -> Result<bool, Error> {
    Ok(read_text(program("id").arg("-u"))?.trim() == "0")
}

/// apt-get that asks nothing. In runlevel 1 no daemon is started that a package brings.
fn apt_get(args: &[&str], log: &Path) -> Result<(), Error> {
    let environment = [("DEBIAN_FRONTEND", "noninteractive"), ("RUNLEVEL", "1")];
    run_logged(program("apt-get").arg("-q").args(args).envs(environment), log)
}
