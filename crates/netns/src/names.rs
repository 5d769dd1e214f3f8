//! The host name of a thread, and the names that it finds in /etc/hosts. Does not know who has them.

use std::fs;
use std::io;
use std::path::Path;

use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::CloneFlags;
use nix::unistd::sethostname;

use crate::error::errno_of;

/// The file of names.
const HOSTS: &str = "/etc/hosts";
const FOLDER: &str = "/sys";

/// What a program that runs in a node finds of names.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    /// The host name.
    pub hostname: &'a str,
    /// What stands in /etc/hosts.
    pub hosts: &'a str,
}

impl Names<'_> {
    /// For the calling thread, which is in a mount namespace of its own. What cannot be done is no obstacle: most programs
    /// never ask for a name.
    pub(crate) fn put(&self) {
        if let Err(errno) = self.put_hostname() {
            tracing::warn!(%errno, "the host name is that of the machine");
        }
        if let Err(error) = self.put_hosts() {
            tracing::warn!(%error, "{HOSTS} is that of the machine");
        }
    }

    #[expect(clippy::disallowed_methods, reason = "this crate is where namespaces are made")]
    fn put_hostname(&self) -> nix::Result<()> {
        nix::sched::unshare(CloneFlags::CLONE_NEWUTS)?;
        sethostname(self.hostname)
    }

    /// A file system in memory for the one file, which stays mounted after its root has gone. That is for a moment on a
    /// folder that is always there.
    fn put_hosts(&self) -> io::Result<()> {
        let kind = Some("tmpfs");
        mount(Some("wireloom"), FOLDER, kind, MsFlags::MS_NOSUID | MsFlags::MS_NODEV, Some("mode=755"))?;
        let file = Path::new(FOLDER).join("hosts");
        let put = fs::write(&file, self.hosts).map_err(|e| errno_of(&e)).and_then(|()| {
            // Where there is no such file there is nothing to mount on, and the names are not worth making one.
            match mount(Some(&file), HOSTS, None::<&str>, MsFlags::MS_BIND, None::<&str>) {
                Err(Errno::ENOENT) => Ok(()),
                other => other,
            }
        });
        umount2(FOLDER, MntFlags::MNT_DETACH)?;
        put.map_err(io::Error::from)
    }
}
