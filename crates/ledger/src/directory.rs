//! Where ledgers are: one directory for each topology, which nobody else can write to. Does not know what is in the
//! files.

use std::{
    collections::BTreeSet,
    env, fs, io,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
};

use nix::unistd::geteuid;
use wireloom_engine::{Label, Owner};

use crate::{Error, Ledger, Result, error::failed};

/// Where the ledgers are.
pub const DIRECTORY: &str = "/run/wireloom";

/// The environment variable that names another place for them.
pub const DIRECTORY_VARIABLE: &str = "WIRELOOM_RUN_DIR";

const CURRENT: &str = "current.json";
const NEXT: &str = "next.json";
const BEFORE: &str = "before.jsonl";
const PROCESSES: &str = "processes.jsonl";
const OVERLAY: &str = "overlay.json";
const BEFORE_SCRIPT: &str = "overlay-before-script.json";
const LOGS: &str = "log";
const ROOMS: &str = "rooms";
const LOCK: &str = "lock";

/// In the name of a file that was set aside because it is damaged.
const DAMAGED: &str = ".damaged";

impl Ledger {
    /// The ledger of a topology, existing or not: nothing is made before the first change or [`Ledger::lock`].
    pub fn open(owner: &Owner) -> Result<Ledger> {
        Ledger::open_in(&default_root()?, owner)
    }

    /// The same in another directory than [`DIRECTORY`].
    pub fn open_in(root: &Path, owner: &Owner) -> Result<Ledger> {
        let ledger = Ledger { owner: owner.clone(), root: root.to_owned(), recorded: None };
        for directory in [root, &ledger.path()] {
            check(directory)?;
        }
        Ok(ledger)
    }

    /// The topologies that have something in the directory of ledgers, be it only what was set aside or a lock.
    pub fn known() -> Result<BTreeSet<Owner>> {
        let root = default_root()?;
        Ok(directories(&root)?.into_iter().map(|(owner, _)| owner).collect())
    }

    /// The topologies that have a ledger, in the order of their names.
    pub fn list() -> Result<Vec<Owner>> {
        Ledger::list_in(&default_root()?)
    }

    /// The same in another directory than [`DIRECTORY`].
    pub fn list_in(root: &Path) -> Result<Vec<Owner>> {
        let mut owners = directories(root)?;
        // A directory with a lock alone is one that somebody is about to use, or has just left.
        let is_there = |directory: &Path, file| fs::symlink_metadata(directory.join(file)).is_ok();
        owners.retain(|(_, path)| [CURRENT, NEXT, BEFORE, PROCESSES].into_iter().any(|file| is_there(path, file)));
        owners.sort();
        Ok(owners.into_iter().map(|(owner, _)| owner).collect())
    }

    /// Where the output of supervised commands goes.
    pub fn log_directory(&self) -> PathBuf {
        self.path().join(LOGS)
    }

    /// Where the rooms of nodes are.
    pub fn room_directory(&self) -> PathBuf {
        self.path().join(ROOMS)
    }

    /// Where the output of the `n`th supervised command of a node goes.
    pub fn log_path(&self, node: &Label, n: usize) -> PathBuf {
        self.log_directory().join(format!("{node}.{n}.log"))
    }

    /// Removes everything of this topology: after a `down`, with the lock held. The lock's file goes last, and who
    /// waits for it makes a new one. What was set aside stays.
    pub fn remove(self) -> Result<()> {
        self.remove_but(&[]).map(drop)
    }

    /// The same for all but damaged files, which are set aside: returns where they are now. They go there after all
    /// others, so that a `down` that is killed before has the same to say when it is run again.
    pub fn remove_but(self, damaged: &[PathBuf]) -> Result<Vec<PathBuf>> {
        let directory = self.path();
        match fs::read_dir(&directory) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(failed("list", &directory))?,
        }
        .filter_map(|entry| entry.ok().filter(|entry| entry.file_name() != LOCK && !is_set_aside(&entry.path())))
        .filter(|entry| !damaged.contains(&entry.path()))
        .try_for_each(|entry| remove_any(&entry.path()))?;
        let kept = damaged.iter().map(|path| set_aside(path)).collect::<Result<_>>()?;
        remove_any(&self.lock_path())?;
        // Either fails, and rightly so, when somebody who waited has begun to use it again.
        fs::remove_dir(&directory).ok();
        fs::remove_dir(&self.root).ok();
        Ok(kept)
    }

    pub(crate) fn remove_logs(&self) -> Result<()> {
        let logs = self.log_directory();
        remove_any(&logs)?;
        make(&logs)
    }

    /// Makes the directories.
    pub(crate) fn prepare(&self) -> Result<()> {
        [&self.root, &self.path(), &self.log_directory()].into_iter().try_for_each(|directory| make(directory))
    }

    pub(crate) fn lock_path(&self) -> PathBuf {
        self.path().join(LOCK)
    }

    pub(crate) fn current_path(&self) -> PathBuf {
        self.path().join(CURRENT)
    }

    pub(crate) fn next_path(&self) -> PathBuf {
        self.path().join(NEXT)
    }

    pub(crate) fn before_path(&self) -> PathBuf {
        self.path().join(BEFORE)
    }

    pub(crate) fn processes_path(&self) -> PathBuf {
        self.path().join(PROCESSES)
    }

    pub(crate) fn overlay_path(&self) -> PathBuf {
        self.path().join(OVERLAY)
    }

    pub(crate) fn before_script_path(&self) -> PathBuf {
        self.path().join(BEFORE_SCRIPT)
    }

    /// Beside the directory, which goes with a `down`. No topology has a name with a dot.
    pub(crate) fn kept_overlay_path(&self) -> PathBuf {
        self.root.join(format!("{}.{OVERLAY}", self.owner))
    }

    fn path(&self) -> PathBuf {
        self.root.join(self.owner.as_str())
    }
}

/// Removes a file or a whole directory. One that is gone already is fine.
pub(crate) fn remove_any(path: &Path) -> Result<()> {
    let directory = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir());
    let removed = if directory { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other.map_err(failed("remove", path)),
    }
}

/// The directories that can be ledgers, and whose.
fn directories(root: &Path) -> Result<Vec<(Owner, PathBuf)>> {
    check(root)?;
    let entries = match fs::read_dir(root) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(failed("list", root))?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed("list", root))?;
        let owner = entry.file_name().to_str().and_then(|name| name.parse().ok());
        found.extend(owner.map(|owner| (owner, entry.path())));
    }
    Ok(found)
}

/// Gives a damaged file a name under which nobody reads it.
fn set_aside(path: &Path) -> Result<PathBuf> {
    let named = |number: String| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!("{DAMAGED}{number}"));
        PathBuf::from(name)
    };
    let numbers = std::iter::once(String::new()).chain((2..).map(|number: u32| format!(".{number}")));
    let free = numbers.map(named).find(|path| fs::symlink_metadata(path).is_err());
    let free = free.expect("there are more numbers than files");
    fs::rename(path, &free).map_err(failed("set aside", path))?;
    Ok(free)
}

fn is_set_aside(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().contains(DAMAGED))
}

/// Two commands that run in different folders must find the same ledgers, so a relative path is refused.
fn default_root() -> Result<PathBuf> {
    let named = env::var_os(DIRECTORY_VARIABLE).filter(|value| !value.is_empty());
    match PathBuf::from(named.unwrap_or_else(|| DIRECTORY.into())) {
        root if root.is_absolute() => Ok(root),
        path => Err(Error::Relative { path }),
    }
}

/// Makes a directory that only we can use, and its parents; one that exists is checked.
fn make(directory: &Path) -> Result<()> {
    loop {
        match fs::DirBuilder::new().recursive(true).mode(0o700).create(directory) {
            // It was there when we made it, and gone when std looked whether it is a directory: somebody removed it.
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists && fs::symlink_metadata(directory).is_err() => {}
            made => return made.map_err(failed("make", directory)).and_then(|()| check(directory)),
        }
    }
}

/// Refuses a directory through which somebody else could have us write or believe something.
fn check(directory: &Path) -> Result<()> {
    let refuse = |reason| Err(Error::Untrusted { path: directory.into(), reason });
    match fs::symlink_metadata(directory) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(cause) => Err(failed("look at", directory)(cause)),
        Ok(found) if found.is_symlink() => refuse("it is a symbolic link"),
        Ok(found) if !found.is_dir() => refuse("it is not a directory"),
        // Root needs nobody's ledger to have its way.
        Ok(found) if ![0, geteuid().as_raw()].contains(&found.uid()) => refuse("it belongs to another user"),
        Ok(found) if found.mode() & 0o022 != 0 => refuse("other users can write to it"),
        Ok(_) => Ok(()),
    }
}
