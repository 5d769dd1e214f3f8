//! [`Doorbell`]: rings when a file that stands for a namespace may have come or gone. For those who have to hold a socket
//! in a namespace for long, and let go of it when its name is gone. Does not know which namespace stands there now.

use std::collections::BTreeSet;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

use crate::{Error, Result, sys};

/// Names under a directory by inotify, and processes, whose files under /proc tell inotify nothing, by pidfd. A ring only
/// says "look again".
#[derive(Debug)]
pub struct Doorbell {
    inotify: Inotify,
    folders: BTreeSet<PathBuf>,
    processes: Vec<(u32, OwnedFd)>,
}

impl Doorbell {
    /// One that does not ring yet.
    ///
    /// # Errors
    /// The kernel has no inotify instance left for this user.
    pub fn new() -> Result<Doorbell> {
        let failed = |errno| Error::Watch { path: PathBuf::new(), errno };
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK).map_err(failed)?;
        Ok(Doorbell { inotify, folders: BTreeSet::new(), processes: Vec::new() })
    }

    /// Rings also for this file, which need not exist yet; the folder that it is in must.
    ///
    /// # Errors
    /// The folder cannot be watched.
    pub fn add(&mut self, path: &Path) -> Result<()> {
        if let Some(pid) = process_of(path) {
            return self.add_process(pid, path);
        }
        match path.parent() {
            Some(folder) if !folder.starts_with("/proc") => self.add_folder(folder),
            // Our own: it lives as long as we do.
            _ => Ok(()),
        }
    }

    /// Rings also when anything comes or goes in this folder.
    ///
    /// # Errors
    /// It cannot be watched.
    pub fn add_folder(&mut self, folder: &Path) -> Result<()> {
        if !self.folders.contains(folder) {
            let what = AddWatchFlags::IN_CREATE
                | AddWatchFlags::IN_DELETE
                | AddWatchFlags::IN_MOVE
                | AddWatchFlags::IN_DELETE_SELF
                | AddWatchFlags::IN_ONLYDIR;
            let watch = self.inotify.add_watch(folder, what);
            watch.map_err(|errno| Error::Watch { path: folder.into(), errno })?;
            self.folders.insert(folder.into());
        }
        Ok(())
    }

    fn add_process(&mut self, pid: u32, path: &Path) -> Result<()> {
        if !self.processes.iter().any(|(known, _)| *known == pid) {
            match sys::pidfd_open(pid) {
                Ok(pidfd) => self.processes.push((pid, pidfd)),
                // It has ended: who looks now sees that, and it does not come back.
                Err(Errno::ESRCH) => {}
                Err(errno) => return Err(Error::Watch { path: path.into(), errno }),
            }
        }
        Ok(())
    }

    /// What to poll; any of them being readable is a ring.
    pub fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        std::iter::once(self.inotify.as_fd()).chain(self.processes.iter().map(|(_, pidfd)| pidfd.as_fd()))
    }

    /// Whether it has rung since this was last asked.
    pub fn has_rung(&mut self) -> bool {
        let mut rung = false;
        while self.inotify.read_events().is_ok_and(|events| !events.is_empty()) {
            rung = true;
        }
        // A pidfd stays readable once its process has ended.
        let known = self.processes.len();
        self.processes.retain(|(_, pidfd)| {
            let mut one = [PollFd::new(pidfd.as_fd(), PollFlags::POLLIN)];
            !poll(&mut one, PollTimeout::ZERO).is_ok_and(|ready| ready > 0)
        });
        rung || self.processes.len() < known
    }
}

/// 4711 of `/proc/4711/ns/net`.
fn process_of(path: &Path) -> Option<u32> {
    path.strip_prefix("/proc").ok()?.components().next()?.as_os_str().to_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_known_by_its_path() {
        assert_eq!(process_of(Path::new("/proc/4711/ns/net")), Some(4711));
        assert_eq!(process_of(Path::new("/proc/self/ns/net")), None);
        assert_eq!(process_of(Path::new("/run/netns/4711")), None);
    }

    #[test]
    fn a_file_that_comes_or_goes_rings_once() {
        let folder = std::env::temp_dir().join(format!("wireloom-doorbell-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut bell = Doorbell::new().unwrap();
        bell.add(&folder.join("r1")).unwrap();
        assert!(!bell.has_rung());
        std::fs::write(folder.join("r1"), "").unwrap();
        assert!(bell.has_rung());
        assert!(!bell.has_rung());
        std::fs::remove_file(folder.join("r1")).unwrap();
        assert!(bell.has_rung());
        std::fs::remove_dir(&folder).unwrap();
    }
}
