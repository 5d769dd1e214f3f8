//! Rooms: the mount namespace and the UTS namespace that a node has beside its network namespace. Made once, kept by two
//! names, entered by whatever runs in the node. Does not know what is in a room, nor whose it is.
//!
//! The kernel mounts a mount namespace on a file only where that mount cannot spread (EINVAL otherwise), so the folder of
//! the names is a private mount of its own; and only from a mount namespace that has a lower number, to rule out loops. A
//! younger one has a higher number, but in Linux 6.18: there each processor has its own numbers to give, and only those
//! from one processor rise. So rooms are made on a processor whose numbers are high enough.

use std::env;
use std::fs::{DirBuilder, File, OpenOptions, read_dir, read_to_string, remove_dir, remove_file};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::stat::fstat;
use nix::unistd::Pid;

use crate::enter::on_own_thread;
use crate::error::errno_of;
use crate::exec::{bind_etc, mount_sysfs, own_mounts};
use crate::{Error, Netns, Result, sys};

/// An open room; holding one keeps it alive, so hold it for one step only.
#[derive(Debug)]
pub struct Room {
    mounts: OwnedFd,
    uts: OwnedFd,
}

impl Room {
    /// The room of that name in a folder of rooms; nothing where there is none, or only a half that a crash has left.
    pub fn open(folder: &Path, name: &str) -> Result<Option<Room>> {
        let [mounts, uts] = files(folder, name);
        let mounts = open_namespace(&mounts, libc::CLONE_NEWNS)?;
        let uts = open_namespace(&uts, libc::CLONE_NEWUTS)?;
        Ok(mounts.zip(uts).map(|(mounts, uts)| Room { mounts, uts }))
    }

    /// Moves the calling thread into the room for good, like `nsenter --mount=FILE --uts=FILE`; it stays in the folder
    /// that it was in, if the room has one of that path. The network namespace is another matter.
    pub fn enter(&self) -> Result<()> {
        let folder = env::current_dir();
        detach_thread()?;
        go_into(&self.mounts, CloneFlags::CLONE_NEWNS)?;
        go_into(&self.uts, CloneFlags::CLONE_NEWUTS)?;
        folder.and_then(env::set_current_dir).ok();
        Ok(())
    }

    /// Runs `f` in the room, on a thread of its own that ends afterwards.
    pub fn run<T: Send>(&self, f: impl FnOnce() -> T + Send) -> Result<T> {
        on_own_thread(|| {
            self.enter()?;
            Ok(f())
        })
    }

    /// The inode of the mount namespace, as in `mnt:[4026531841]`: that of the processes in the room.
    pub fn inode(&self) -> Result<u64> {
        fstat(&self.mounts).map(|stat| stat.st_ino).map_err(|errno| Error::Identify { what: "the inode", errno })
    }
}

/// Makes rooms in a folder.
#[derive(Debug)]
pub struct RoomMaker {
    folder: PathBuf,
    /// The mount namespace that each room begins as: that of this process, without what is mounted below /run. There is
    /// a mount for each named namespace there; with them, a thousand rooms would be a million mounts.
    bare: OwnedFd,
    /// Where that was made, and rooms are.
    processor: usize,
}

impl RoomMaker {
    /// Makes the folder ready, and what the rooms begin as.
    pub fn new(folder: &Path) -> Result<RoomMaker> {
        prepare(folder)?;
        let failed = |errno| Error::Room { operation: "look for processors to make", path: folder.into(), errno };
        let allowed = sched_getaffinity(Pid::from_raw(0)).map_err(failed)?;
        let mut refused = failed(Errno::ENODEV);
        for processor in (0..CpuSet::count()).filter(|processor| allowed.is_set(*processor) == Ok(true)) {
            let bare = bare(folder, processor)?;
            let [probe, _] = files(folder, "");
            match bind(bare.as_fd(), &probe) {
                Ok(()) => {
                    remove_name(&probe)?;
                    return Ok(RoomMaker { folder: folder.to_owned(), bare, processor });
                }
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }

    /// Makes a room with /sys of the network namespace, and with the files of `/etc/netns/NETNS` where that has a name.
    /// `furnish` runs in it before it has its name, so that after a crash there is a whole room or none.
    pub fn make<E: From<Error> + Send>(
        &self,
        name: &str,
        (netns, netns_name): (&Netns, Option<&str>),
        furnish: impl FnOnce() -> std::result::Result<(), E> + Send,
    ) -> std::result::Result<Room, E> {
        remove_room(&self.folder, name)?;
        let room = on_own_thread(|| {
            netns.enter()?;
            stay_on(self.processor);
            self.enter_new()?;
            if let Err(errno) = mount_sysfs() {
                tracing::warn!(%errno, "/sys still shows the interfaces of another network namespace");
            }
            let furnished = furnish();
            netns_name.into_iter().for_each(bind_etc);
            match furnished {
                Ok(()) => Ok(Ok(Room { mounts: own_namespace("mnt")?, uts: own_namespace("uts")? })),
                Err(error) => Ok(Err(error)),
            }
        })??;
        let [mounts, uts] = files(&self.folder, name);
        // The mount namespace's name last: it is the one that says that there is a room.
        bind(room.uts.as_fd(), &uts)?;
        bind(room.mounts.as_fd(), &mounts)?;
        Ok(room)
    }

    /// Moves the calling thread into a mount and a UTS namespace that are made for it.
    #[expect(clippy::disallowed_methods, reason = "this crate is where namespaces are made")]
    fn enter_new(&self) -> Result<()> {
        detach_thread()?;
        go_into(&self.bare, CloneFlags::CLONE_NEWNS)?;
        let both = CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWUTS;
        nix::sched::unshare(both).map_err(|errno| Error::Room { operation: "make", path: self.folder.clone(), errno })
    }
}

/// A mount namespace like ours, without what is mounted below /run.
fn bare(folder: &Path, processor: usize) -> Result<OwnedFd> {
    on_own_thread(|| {
        stay_on(processor);
        own_mounts()?;
        unmount_below(&[Path::new("/run"), folder])?;
        own_namespace("mnt")
    })
}

/// Keeps the calling thread on one processor. Where that cannot be done, the thread may be lucky.
fn stay_on(processor: usize) {
    let mut only = CpuSet::new();
    only.set(processor).and_then(|()| sched_setaffinity(Pid::from_raw(0), &only)).ok();
}

/// Takes a room's names away. It lives on, nameless, while a process is in it. One that is not there is no failure.
pub fn remove_room(folder: &Path, name: &str) -> Result<()> {
    files(folder, name).iter().try_for_each(|file| remove_name(file))
}

/// Takes away all rooms in the folder, and the folder with all that is in it.
pub fn remove_rooms(folder: &Path) -> Result<()> {
    let failed = |e: io::Error| Error::Room { operation: "remove", path: folder.into(), errno: errno_of(&e) };
    let entries = match read_dir(folder) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other.map_err(failed)?,
    };
    for entry in entries {
        remove_name(&entry.map_err(failed)?.path())?;
    }
    unmount(folder)?;
    remove_dir(folder).or_else(|e| if e.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(failed(e)) })
}

/// The names of the rooms in the folder, whole ones and halves.
pub fn rooms(folder: &Path) -> Vec<String> {
    let entries = read_dir(folder).into_iter().flatten().flatten();
    let name = |file: std::ffi::OsString| file.to_str()?.strip_suffix(".uts").map(str::to_owned);
    let mut names: Vec<String> = entries.filter_map(|entry| name(entry.file_name())).collect();
    names.sort_unstable();
    names
}

fn files(folder: &Path, name: &str) -> [PathBuf; 2] {
    [folder.join(format!("{name}.mnt")), folder.join(format!("{name}.uts"))]
}

/// The folder as a private mount.
fn prepare(folder: &Path) -> Result<()> {
    let failed = |operation, errno| Error::Room { operation, path: folder.into(), errno };
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|e| failed("make the folder", errno_of(&e)))?;
    let private = || mount(None::<&str>, folder, None::<&str>, MsFlags::MS_PRIVATE, None::<&str>);
    match private() {
        // It is not a mount of its own yet.
        Err(Errno::EINVAL) => {}
        other => return other.map_err(|errno| failed("make the mount private", errno)),
    }
    mount(Some(folder), folder, None::<&str>, MsFlags::MS_BIND, None::<&str>).map_err(|e| failed("mount", e))?;
    private().map_err(|errno| failed("make the mount private", errno))
}

fn bind(namespace: BorrowedFd<'_>, file: &Path) -> Result<()> {
    let failed = |errno| Error::Room { operation: "mount", path: file.into(), errno };
    let made = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(file);
    made.map_err(|e| failed(errno_of(&e)))?;
    let source = format!("/proc/thread-self/fd/{}", namespace.as_raw_fd());
    mount(Some(source.as_str()), file, None::<&str>, MsFlags::MS_BIND, None::<&str>).map_err(failed)
}

fn remove_name(file: &Path) -> Result<()> {
    unmount(file)?;
    match remove_file(file) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => {
            Err(Error::Room { operation: "remove", path: file.into(), errno: errno_of(&e) })
        }
        _ => Ok(()),
    }
}

/// Everything that is mounted there. Nothing, or no such file, is fine.
fn unmount(path: &Path) -> Result<()> {
    loop {
        match umount2(path, MntFlags::MNT_DETACH | MntFlags::UMOUNT_NOFOLLOW) {
            Ok(()) => {}
            Err(Errno::EINVAL | Errno::ENOENT) => return Ok(()),
            Err(errno) => return Err(Error::Room { operation: "unmount", path: path.into(), errno }),
        }
    }
}

/// What is mounted below these folders, or on the folders but for the first, in this thread's own mount namespace.
fn unmount_below(folders: &[&Path; 2]) -> Result<()> {
    let table = "/proc/thread-self/mountinfo";
    let text = read_to_string(table).map_err(|e| Error::Room {
        operation: "read",
        path: table.into(),
        errno: errno_of(&e),
    })?;
    let points = text.lines().filter_map(|line| line.split(' ').nth(4)).map(Path::new);
    let goes = |point: &&Path| (point.starts_with(folders[0]) && *point != folders[0]) || *point == folders[1];
    points.filter(goes).try_for_each(unmount)
}

fn open_namespace(file: &Path, kind: libc::c_int) -> Result<Option<OwnedFd>> {
    let options = libc::O_CLOEXEC | libc::O_NONBLOCK | libc::O_NOCTTY;
    match OpenOptions::new().read(true).custom_flags(options).open(file) {
        Ok(file) => Ok(Some(OwnedFd::from(file)).filter(|fd| sys::namespace_type(fd) == Ok(kind))),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::Room { operation: "open", path: file.into(), errno: errno_of(&e) }),
    }
}

/// The calling thread's own namespace of that kind.
fn own_namespace(kind: &str) -> Result<OwnedFd> {
    let path = PathBuf::from(format!("/proc/thread-self/ns/{kind}"));
    let file = File::open(&path).map_err(|e| Error::Room { operation: "open", path, errno: errno_of(&e) })?;
    Ok(file.into())
}

/// A thread that shares its root and working directory with others may not change its mount namespace.
#[expect(clippy::disallowed_methods, reason = "this crate is where threads change namespaces")]
fn detach_thread() -> Result<()> {
    nix::sched::unshare(CloneFlags::CLONE_FS).map_err(|errno| Error::Enter { errno })
}

#[expect(clippy::disallowed_methods, reason = "this crate is where namespaces are switched")]
fn go_into(namespace: &OwnedFd, kind: CloneFlags) -> Result<()> {
    nix::sched::setns(namespace, kind).map_err(|errno| Error::Enter { errno })
}
