//! Whether files have changed: documents, however an editor writes them (in place, by renaming, through links). Does not
//! read them.

use std::{
    fs,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::fs::MetadataExt,
    },
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

use crate::failure::Failure;

/// A file that has not changed for so long is whole: one that is written in place is half a document in between.
const STILL: Duration = Duration::from_millis(20);
/// And one that never stops changing is read all the same.
const LOOKS: usize = 50;

/// Files, and what they were when they were last looked at.
pub(crate) struct Files {
    inotify: Inotify,
    paths: Vec<PathBuf>,
    seen: Vec<Option<Print>>,
}

/// What changes when a file does: device, inode, length, and when it was last written.
type Print = (u64, u64, u64, i64, i64);

impl Files {
    /// These, which need not exist; the folders that they are in must.
    pub(crate) fn new(paths: Vec<PathBuf>) -> Result<Files, Failure> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |errno: nix::errno::Errno| Failure::WatchFile { path, cause: errno.into() }
        };
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK).map_err(failed(Path::new("")))?;
        let what = AddWatchFlags::IN_CLOSE_WRITE | AddWatchFlags::IN_MOVE | AddWatchFlags::IN_DELETE;
        for path in &paths {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            inotify.add_watch(folder, what).map_err(failed(folder))?;
        }
        let seen = prints(&paths);
        Ok(Files { inotify, paths, seen })
    }

    /// Whether any of them is another than when this was last asked. Waits until they are still.
    pub(crate) fn have_changed(&mut self) -> bool {
        let mut rung = false;
        while self.inotify.read_events().is_ok_and(|events| !events.is_empty()) {
            rung = true;
        }
        if !rung {
            return false;
        }
        let mut now = prints(&self.paths);
        for _ in 0..LOOKS {
            if now == self.seen {
                return false;
            }
            thread::sleep(STILL);
            let again = prints(&self.paths);
            if again == now {
                break;
            }
            now = again;
        }
        self.seen = now;
        true
    }
}

impl AsFd for Files {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }
}

fn prints(paths: &[PathBuf]) -> Vec<Option<Print>> {
    let print = |path: &PathBuf| {
        let file = fs::metadata(path).ok()?;
        Some((file.dev(), file.ino(), file.len(), file.mtime(), file.mtime_nsec()))
    };
    paths.iter().map(print).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_changes_however_it_is_written_and_others_beside_it_do_not_count() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lab.yaml");
        fs::write(&path, "a").unwrap();
        let mut files = Files::new(vec![path.clone(), folder.path().join(".env")]).unwrap();
        assert!(!files.have_changed());
        fs::write(folder.path().join("other"), "x").unwrap();
        assert!(!files.have_changed());
        fs::write(&path, "ab").unwrap();
        assert!(files.have_changed() && !files.have_changed());
        fs::write(folder.path().join("new"), "ab").unwrap();
        fs::rename(folder.path().join("new"), &path).unwrap();
        assert!(files.have_changed() && !files.have_changed());
        fs::write(folder.path().join(".env"), "A=1").unwrap();
        assert!(files.have_changed());
        fs::remove_file(&path).unwrap();
        assert!(files.have_changed());
    }
}
