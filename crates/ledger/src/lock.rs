//! One writer at a time for a topology. The lock ends with its process, however that ends. Does not know what the
//! writer does.

use std::{
    fs::{self, File, TryLockError},
    io,
    os::unix::fs::{FileExt, MetadataExt},
    process,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::{Error, Ledger, Result, error::failed, file};

/// How often a waiter looks: short for a person, and a waiter must see that it was cancelled.
const POLL: Duration = Duration::from_millis(20);

/// The right to change a topology, given back when dropped.
#[derive(Debug)]
pub struct Lock {
    /// Closing it unlocks. Closed on exec, so a command that we start does not keep the lock.
    _file: File,
}

/// Who has the lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The process.
    pub pid: u32,
    /// What it does: `up`, `down`.
    pub verb: String,
}

impl Ledger {
    /// Takes the lock for `verb`. When another process has it, `waiting` is told who, once, and we wait until it is
    /// free, or until `cancelled` is set.
    pub fn lock(&self, verb: &str, cancelled: &AtomicBool, waiting: impl FnOnce(&Holder)) -> Result<Lock> {
        let mut waiting = Some(waiting);
        loop {
            let Some(file) = self.open_lock()? else { continue };
            match file.try_lock() {
                Ok(()) => match self.hold(file, verb)? {
                    Some(lock) => return Ok(lock),
                    None => continue,
                },
                Err(TryLockError::Error(cause)) => return Err(failed("lock", self.lock_path())(cause)),
                Err(TryLockError::WouldBlock) if cancelled.load(Ordering::Relaxed) => {
                    return Err(Error::Cancelled { owner: self.owner.clone() });
                }
                Err(TryLockError::WouldBlock) => {
                    // Empty for the moment between locking and writing: tell at the next look.
                    if let Some(holder) = read_holder(&file) {
                        waiting.take().into_iter().for_each(|waiting| waiting(&holder));
                    }
                    thread::sleep(POLL);
                }
            }
        }
    }

    /// Opens the lock's file; `None` when the directory was removed while we looked.
    fn open_lock(&self) -> Result<Option<File>> {
        let path = self.lock_path();
        let opened = self.prepare().and_then(|()| {
            let mut options = file::options();
            options.read(true).write(true).create(true).truncate(false).open(&path).map_err(failed("open", &path))
        });
        match opened {
            Err(error) if error.is_not_found() => Ok(None),
            other => other.map(Some),
        }
    }

    /// Whether the file that we have locked is still the one that others find.
    fn is_lock(&self, file: &File) -> Result<bool> {
        let path = self.lock_path();
        let ours = file.metadata().map_err(failed("look at", &path))?;
        match fs::symlink_metadata(&path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
            other => other.map_err(failed("look at", &path)).map(|found| found.ino() == ours.ino()),
        }
    }

    /// Nothing where the file was removed by the one who had it: there is a new one to be had.
    fn hold(&self, file: File, verb: &str) -> Result<Option<Lock>> {
        if !self.is_lock(&file)? {
            return Ok(None);
        }
        // One who removed the ledger until now may have taken directories that we had made for ourselves.
        self.prepare()?;
        let path = self.lock_path();
        let holder = Holder { pid: process::id(), verb: verb.to_owned() };
        let text = serde_json::to_vec(&holder).map_err(|cause| Error::Encode { path: path.clone(), cause })?;
        file.set_len(0).and_then(|()| file.write_all_at(&text, 0)).map_err(failed("write", &path))?;
        Ok(Some(Lock { _file: file }))
    }
}

fn read_holder(file: &File) -> Option<Holder> {
    let mut text = [0; 256];
    let length = file.read_at(&mut text, 0).ok()?;
    serde_json::from_slice(&text[..length]).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What happens to one who has opened the file just before another removes it and lets go.
    #[test]
    fn a_file_that_was_removed_is_no_lock_though_it_can_be_locked() {
        let directory = tempfile::TempDir::new().unwrap();
        let open = || Ledger::open_in(&directory.path().join("run"), &"t".parse().unwrap()).unwrap();
        let ledger = open();
        let locked = || {
            let file = ledger.open_lock().unwrap().unwrap();
            file.try_lock().unwrap();
            file
        };
        let removed = locked();
        open().remove().unwrap();
        assert!(ledger.hold(removed.try_clone().unwrap(), "up").unwrap().is_none(), "there is none");
        let lock = ledger.hold(locked(), "up").unwrap();
        assert!(lock.is_some());
        assert!(ledger.hold(removed, "up").unwrap().is_none(), "there is another one");
    }
}
