//! What a program that is executed inside a namespace must find besides it: that namespace's own /sys and its files of
//! /etc/netns. Does not execute anything.

use std::fs::read_dir;
use std::path::Path;

use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::CloneFlags;
use nix::sys::statvfs::{FsFlags, statvfs};

use crate::{Error, Names, Netns, Result};

impl Netns {
    /// Moves the calling thread into the namespace for good, with /sys showing that namespace, and with the files of
    /// `/etc/netns/NAME` over those of /etc when a name is given, like `ip netns exec NAME`.
    ///
    /// The thread gets a mount namespace of its own. Where /sys cannot be mounted (in a container without the right to)
    /// it goes on with the old one and a warning: most programs never look there.
    pub fn enter_with_sysfs(&self, name: Option<&str>) -> Result<()> {
        self.enter()?;
        own_mounts()?;
        if let Err(errno) = mount_sysfs() {
            tracing::warn!(%errno, "/sys still shows the interfaces of another network namespace");
        }
        if let Some(name) = name {
            bind_etc(name);
        }
        Ok(())
    }

    /// The same for a node without a room: it finds its own host name, and the names of the others in /etc/hosts. What
    /// the user has put into `/etc/netns/NAME` wins.
    pub fn enter_with_names(&self, name: Option<&str>, names: &Names<'_>) -> Result<()> {
        self.enter_with_sysfs(None)?;
        names.put();
        if let Some(name) = name {
            bind_etc(name);
        }
        Ok(())
    }
}

/// A mount namespace of the thread's own, from which nothing spreads to the one before.
#[expect(clippy::disallowed_methods, reason = "this crate is where namespaces are made")]
pub(crate) fn own_mounts() -> Result<()> {
    let failed = |errno| Error::Directory { operation: "detach the mounts of", path: "/".into(), errno };
    nix::sched::unshare(CloneFlags::CLONE_NEWNS).map_err(failed)?;
    let flags = MsFlags::MS_SLAVE | MsFlags::MS_REC;
    mount(None::<&str>, "/", None::<&str>, flags, None::<&str>).map_err(failed)
}

pub(crate) fn mount_sysfs() -> nix::Result<()> {
    let mut flags = MsFlags::empty();
    if umount2("/sys", MntFlags::MNT_DETACH).is_err() {
        // What cannot be unmounted is mounted over, and a read-only sysfs cannot be covered by a writable one.
        let read_only = statvfs("/sys").is_ok_and(|stat| stat.flags().contains(FsFlags::ST_RDONLY));
        flags.set(MsFlags::MS_RDONLY, read_only);
    }
    match mount(Some("sysfs"), "/sys", Some("sysfs"), flags, None::<&str>) {
        // The kernel lets a container mount sysfs read-only where every visible one is read-only.
        Err(Errno::EPERM) if flags.is_empty() => {
            mount(Some("sysfs"), "/sys", Some("sysfs"), MsFlags::MS_RDONLY, None::<&str>)
        }
        other => other,
    }
}

/// Mounts every file of `/etc/netns/NAME` over the file of the same name in /etc.
pub(crate) fn bind_etc(name: &str) {
    let Ok(entries) = read_dir(Path::new("/etc/netns").join(name)) else { return };
    for entry in entries.flatten() {
        let target = Path::new("/etc").join(entry.file_name());
        let bound = mount(Some(&entry.path()), &target, None::<&str>, MsFlags::MS_BIND, None::<&str>);
        if let Err(errno) = bound {
            tracing::warn!(target = %target.display(), %errno, "a file of /etc/netns cannot be put in place");
        }
    }
}
