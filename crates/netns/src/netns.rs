//! An open network namespace: by path, by name, by process. Does not know how one is made or entered.

use std::fs::{File, OpenOptions};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::sys::stat::fstat;

use crate::error::errno_of;
use crate::{Error, NetnsId, Result, directory, identity, sys};

/// The calling thread's own namespace.
const CURRENT: &str = "/proc/thread-self/ns/net";

/// An open network namespace; holding one keeps the namespace alive, so hold it for one step only.
#[derive(Debug)]
pub struct Netns(OwnedFd);

impl Netns {
    /// The namespace that the calling thread is in.
    pub fn current() -> Result<Netns> {
        let file = File::open(CURRENT).map_err(|e| Error::Open { path: CURRENT.into(), errno: errno_of(&e) })?;
        Ok(Netns(file.into()))
    }

    /// The namespace that this file stands for, as `nsenter --net=PATH` takes it.
    pub fn open(path: &Path) -> Result<Netns> {
        // Without O_NONBLOCK a FIFO in the way would hang us.
        let options = libc::O_CLOEXEC | libc::O_NONBLOCK | libc::O_NOCTTY;
        let file = OpenOptions::new().read(true).custom_flags(options).open(path).map_err(|e| match errno_of(&e) {
            Errno::ENOENT | Errno::ENOTDIR => Error::NotFound { path: path.into() },
            errno => Error::Open { path: path.into(), errno },
        })?;
        let fd = OwnedFd::from(file);
        match sys::namespace_type(&fd) {
            Ok(libc::CLONE_NEWNET) => Ok(Netns(fd)),
            _ => Err(Error::NotNetns { path: path.into() }),
        }
    }

    /// The namespace of that name, as `ip netns` knows it.
    pub fn named(name: &str) -> Result<Netns> {
        Netns::open(&directory::path_of(name)?)
    }

    /// The namespace that the process is in. A process that has taken over the number of one that ended while we
    /// looked is never mistaken for it.
    pub fn of_pid(pid: u32) -> Result<Netns> {
        let path = PathBuf::from(format!("/proc/{pid}/ns/net"));
        let pidfd = sys::pidfd_open(pid).map_err(|errno| match errno {
            Errno::ESRCH | Errno::EINVAL => Error::NoProcess { pid },
            errno => Error::Open { path: path.clone(), errno },
        })?;
        let netns = match Netns::open(&path) {
            Err(Error::NotFound { .. }) => return Err(Error::NoProcess { pid }),
            other => other?,
        };
        if sys::pidfd_alive(&pidfd) { Ok(netns) } else { Err(Error::NoProcess { pid }) }
    }

    /// Who this namespace is, for as long as the machine runs and after.
    pub fn id(&self) -> Result<NetnsId> {
        let socket = self.open_socket(libc::AF_UNIX, libc::SOCK_DGRAM, 0)?;
        let cookie = sys::netns_cookie(&socket).map_err(|errno| Error::Identify { what: "the cookie", errno })?;
        Ok(NetnsId { boot_id: identity::boot_id()?.to_owned(), cookie })
    }

    /// The inode, as in `net:[4026531840]`. Reused as soon as a namespace is gone: compare it only with those of
    /// namespaces that are held open.
    pub fn inode(&self) -> Result<u64> {
        fstat(&self.0).map(|stat| stat.st_ino).map_err(|errno| Error::Identify { what: "the inode", errno })
    }
}

impl AsFd for Netns {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
