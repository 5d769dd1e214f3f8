//! The names of namespaces: files in /run/netns on which they are mounted, exactly as iproute2 keeps them.
//! Does not know what is inside a namespace.

use std::fs::{File, OpenOptions, create_dir_all, read_dir, remove_file};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nix::mount::{MntFlags, MsFlags, mount, umount2};

use crate::enter::{enter_new, on_own_thread};
use crate::error::errno_of;
use crate::{Error, Netns, Result};

/// Where iproute2, podman and CNI plugins keep the names of namespaces.
pub const DIRECTORY: &str = "/run/netns";

impl Netns {
    /// Makes a namespace and gives it a name, like `ip netns add NAME`. On failure nothing is left behind.
    pub fn create(name: &str) -> Result<Netns> {
        let path = path_of(name)?;
        prepare_directory()?;
        let file = NameFile::reserve(name, path)?;
        let netns = Netns::create_unnamed()?;
        file.mount(&netns)?;
        Ok(netns)
    }

    /// Makes a namespace without a name: it is gone when the last descriptor, process and socket of it is.
    pub fn create_unnamed() -> Result<Netns> {
        on_own_thread(|| {
            enter_new()?;
            Netns::current()
        })
    }
}

/// Takes a namespace's name away, like `ip netns del NAME`. The kernel drops the namespace, some time later, unless
/// somebody still holds it.
pub fn remove(name: &str) -> Result<()> {
    let path = path_of(name)?;
    // More than one mount lies on the file when somebody mounted a namespace over a namespace. A file on which none is
    // (EINVAL) was left by a crash between the making of the file and the mount.
    loop {
        match umount2(&path, MntFlags::MNT_DETACH | MntFlags::UMOUNT_NOFOLLOW) {
            Ok(()) => {}
            Err(Errno::EINVAL) => break,
            Err(Errno::ENOENT) => return Err(Error::NotFound { path }),
            Err(errno) => return Err(Error::Remove { path, errno }),
        }
    }
    match remove_file(&path) {
        Ok(()) => Ok(()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Err(Error::NotFound { path }),
        Err(e) => Err(Error::Remove { path, errno: errno_of(&e) }),
    }
}

/// The names of all named namespaces, sorted, like `ip netns list`; none when there is no directory of names.
pub fn list() -> Result<Vec<String>> {
    let failed = |e: io::Error| Error::Directory { operation: "list", path: DIRECTORY.into(), errno: errno_of(&e) };
    let entries = match read_dir(DIRECTORY) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(failed(e)),
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry.map_err(failed)?.file_name().into_string().ok());
    }
    names.sort_unstable();
    Ok(names)
}

/// Makes the directory of names, and makes it a shared mount, as iproute2 does: names that are made in one mount
/// namespace are then seen in the others, and names that are removed there do not keep a namespace alive here.
pub fn prepare_directory() -> Result<()> {
    let failed = |operation, errno| Error::Directory { operation, path: DIRECTORY.into(), errno };
    create_dir_all(DIRECTORY).map_err(|e| failed("create", errno_of(&e)))?;
    let directory = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_DIRECTORY | libc::O_CLOEXEC)
        .open(DIRECTORY)
        .map_err(|e| failed("open", errno_of(&e)))?;
    // iproute2 takes the same lock: two at once would mount the directory on itself twice.
    let _lock = Flock::lock(directory, FlockArg::LockExclusive).map_err(|(_, errno)| failed("lock", errno))?;
    match share(DIRECTORY) {
        // It is not a mount of its own yet.
        Err(Errno::EINVAL) => {}
        other => return other.map_err(|errno| failed("share the mount", errno)),
    }
    let itself = MsFlags::MS_BIND | MsFlags::MS_REC;
    mount(Some(DIRECTORY), DIRECTORY, None::<&str>, itself, None::<&str>).map_err(|errno| failed("mount", errno))?;
    share(DIRECTORY).map_err(|errno| failed("share the mount", errno))
}

/// The file that carries a namespace's name.
pub(crate) fn path_of(name: &str) -> Result<PathBuf> {
    let is_file_name = !matches!(name, "" | "." | "..") && name.len() <= 255 && !name.contains(['/', '\0']);
    if !is_file_name {
        return Err(Error::InvalidName { name: name.to_owned() });
    }
    Ok(Path::new(DIRECTORY).join(name))
}

/// A file made for a name; it is removed again unless a namespace comes to be mounted on it.
pub(crate) struct NameFile {
    path: PathBuf,
    mounted: bool,
}

impl NameFile {
    /// Takes the name, so that nobody else can have it.
    pub(crate) fn reserve(name: &str, path: PathBuf) -> Result<NameFile> {
        let file: io::Result<File> = OpenOptions::new().read(true).write(true).create_new(true).mode(0o000).open(&path);
        match file {
            Ok(_) => Ok(NameFile { path, mounted: false }),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Err(Error::Exists { name: name.to_owned() }),
            Err(e) => Err(Error::Name { path, errno: errno_of(&e) }),
        }
    }

    /// Mounts the namespace on the file. From then on it stays.
    pub(crate) fn mount(mut self, netns: &Netns) -> Result<()> {
        use std::os::fd::AsFd;
        let source = format!("/proc/thread-self/fd/{}", netns.as_fd().as_raw_fd());
        let mounted = mount(Some(source.as_str()), &self.path, None::<&str>, MsFlags::MS_BIND, None::<&str>);
        mounted.map_err(|errno| Error::Name { path: self.path.clone(), errno })?;
        self.mounted = true;
        Ok(())
    }
}

impl Drop for NameFile {
    fn drop(&mut self) {
        if !self.mounted {
            remove_file(&self.path).ok();
        }
    }
}

fn share(directory: &str) -> nix::Result<()> {
    let flags = MsFlags::MS_SHARED | MsFlags::MS_REC;
    mount(None::<&str>, directory, None::<&str>, flags, None::<&str>)
}
