//! What a node finds in its room: folders that are empty and its own, files with the content that a document gives them,
//! and its host name. Works in the mount namespace of the calling thread; does not know how that was made, nor whose it is.
//!
//! Every room has an empty /run. A file system in memory there also holds what else the room needs, out of sight in
//! `/run/.wireloom`: the files that are put over those of the machine, and what is written to its folders.

mod account;
mod mounts;
mod place;

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown, fchown},
    path::{Path, PathBuf},
};

use nix::{
    fcntl::{AT_FDCWD, OFlag, OpenHow, ResolveFlag, openat2},
    mount::{MntFlags, MsFlags, umount2},
    sys::stat::Mode,
    unistd::sethostname,
};

use self::{
    account::{Account, look_up},
    mounts::{Cover, Mounts, bind, in_memory},
    place::{make_folder, nearest, overlay},
};
use crate::{Error, Result, error::furnishing};

/// Where the room keeps what it needs.
const STORE: &str = "/run/.wireloom";

/// All that a node has in its room.
#[derive(Debug, Clone, Copy)]
pub struct Furniture<'a> {
    /// The host name.
    pub hostname: &'a str,
    /// Folders of its own.
    pub folders: &'a [Folder<'a>],
    /// Files of its own.
    pub files: &'a [File<'a>],
}

/// A folder that is empty at first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Folder<'a> {
    /// Where.
    pub path: &'a str,
    /// Whose: `USER` or `USER:GROUP`. Without it, whose the machine's is.
    pub owner: Option<&'a str>,
    /// Its mode; without it, that of the machine's.
    pub mode: Option<u32>,
}

/// A file and what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct File<'a> {
    /// Where.
    pub path: &'a str,
    /// What is in it.
    pub content: &'a str,
    /// Whose: `USER` or `USER:GROUP`; root's without it.
    pub owner: Option<&'a str>,
    /// Its mode; 644 without it.
    pub mode: Option<u32>,
}

/// Furnishes a room that was just made.
pub fn furnish(furniture: &Furniture<'_>) -> Result<()> {
    // As the machine has them, before an empty /run hides some of them.
    let looks: Vec<Look> = furniture.folders.iter().map(|folder| Look::of(Path::new(folder.path))).collect();
    in_memory(Path::new("/run"), 0o755)?;
    let store = Path::new(STORE);
    fs::DirBuilder::new().mode(0o700).create(store).map_err(furnishing("make", store))?;
    furniture.folders.iter().zip(looks).try_for_each(|(folder, look)| put_folder(folder, &look))?;
    furniture.files.iter().try_for_each(|file| put_file(file, false))?;
    name(furniture.hostname)
}

/// Changes what differs between the furniture that the room has and what it is to have.
pub fn refurnish(from: &Furniture<'_>, to: &Furniture<'_>) -> Result<()> {
    from.files.iter().filter(|old| to.files.iter().all(|new| new.path != old.path)).try_for_each(take_file)?;
    let (gone, come) = (without(from.folders, to.folders), without(to.folders, from.folders));
    for old in gone.iter().filter(|old| !is_run(Path::new(old.path))) {
        // What is mounted below, a file's mount or another folder's, goes along.
        let path = Path::new(old.path);
        umount2(path, MntFlags::MNT_DETACH).map_err(|errno| furnishing("unmount", path)(errno.into()))?;
    }
    come.iter().try_for_each(|folder| put_folder(folder, &Look::of(Path::new(folder.path))))?;
    for file in to.files {
        // What was put where a folder has come or gone is not there any more.
        let moved = gone.iter().chain(&come).any(|folder| Path::new(file.path).starts_with(folder.path));
        let known = !moved && from.files.iter().any(|old| old.path == file.path);
        if !known || !from.files.contains(file) {
            put_file(file, known)?;
        }
    }
    if from.hostname == to.hostname { Ok(()) } else { name(to.hostname) }
}

fn without<'a>(all: &[Folder<'a>], others: &[Folder<'_>]) -> Vec<Folder<'a>> {
    all.iter().filter(|folder| !others.contains(folder)).copied().collect()
}

fn name(hostname: &str) -> Result<()> {
    sethostname(hostname).map_err(|errno| furnishing("set the host name", Path::new(hostname))(errno.into()))
}

/// Whose a folder is, and its mode.
struct Look {
    account: Account,
    mode: u32,
}

impl Look {
    fn of(path: &Path) -> Look {
        match fs::metadata(path) {
            Ok(found) => {
                let account = Account { user: found.uid(), group: found.gid() };
                Look { account, mode: found.permissions().mode() & 0o7777 }
            }
            Err(_) => Look { account: Account::default(), mode: 0o755 },
        }
    }
}

/// /run has been empty from the beginning, and is not emptied again: the store is in there.
fn is_run(path: &Path) -> bool {
    nearest(path) == Path::new("/run") && (path == Path::new("/run") || path.is_symlink())
}

fn put_folder(folder: &Folder<'_>, look: &Look) -> Result<()> {
    let path = Path::new(folder.path);
    not_the_kernels(path)?;
    make_folder(path)?;
    if !is_run(path) {
        in_memory(path, look.mode)?;
    }
    let account = folder.owner.map_or(Ok(look.account), |owner| look_up(owner, path))?;
    own(path, account, folder.mode.unwrap_or(look.mode))
}

/// The document has been checked as it is written; a link of the machine may lead elsewhere.
fn not_the_kernels(path: &Path) -> Result<()> {
    let place = place::resolved(path);
    let theirs = ["/proc", "/sys", "/dev"].iter().any(|kernel| place.starts_with(kernel));
    if theirs || place == Path::new("/") { Err(Error::NoRoom { path: place }) } else { Ok(()) }
}

/// `known` says that what lies there was put there before.
fn put_file(file: &File<'_>, known: bool) -> Result<()> {
    let path = Path::new(file.path);
    let folder = path.parent().unwrap_or(Path::new("/"));
    make_folder(folder)?;
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => return Err(Error::NotFile { path: path.into() }),
        // What the machine has replaced by another has lost its mount: it is put over the new one again.
        Ok(_) if known && (path.is_symlink() || Mounts::read()?.cover(path) != Cover::Machine) => {}
        // One of the machine stays below, and is seen again when this one goes.
        Ok(_) if Mounts::read()?.cover(path) != Cover::Memory => {
            let own = place::in_store("files")?;
            write(&own, file)?;
            return bind(&own, path, MsFlags::empty());
        }
        Err(_) if Mounts::read()?.cover(folder) == Cover::Machine => overlay(&nearest(folder))?,
        _ => {}
    }
    // A link of the machine's that leads nowhere in the room gives way.
    if path.is_symlink() && !path.exists() {
        fs::remove_file(path).map_err(furnishing("replace", path))?;
    }
    write(path, file)
}

/// Into the file that is there, if there is one: those who have it open, or under another mount, see it.
///
/// A process of the node may own the folder, and may have put a link there that leads to a file of the machine. So the place is
/// looked at without links, and opened by a way that has none (RESOLVE_NO_SYMLINKS, Linux 5.6), whatever became of it meanwhile.
fn write(path: &Path, file: &File<'_>) -> Result<()> {
    let place = place::resolved(path);
    if Mounts::read()?.cover(&place) == Cover::Machine {
        return Err(Error::LeadsOut { path: path.into(), to: place });
    }
    let how = OpenHow::new()
        .flags(OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_TRUNC | OFlag::O_CLOEXEC)
        .mode(Mode::S_IRUSR | Mode::S_IWUSR)
        .resolve(ResolveFlag::RESOLVE_NO_SYMLINKS);
    let opened = openat2(AT_FDCWD, &place, how).map_err(io::Error::from).map(fs::File::from);
    let mut open = opened.map_err(furnishing("open", &place))?;
    open.write_all(file.content.as_bytes()).map_err(furnishing("write", &place))?;
    let account = file.owner.map_or(Ok(Account::default()), |owner| look_up(owner, Path::new(file.path)))?;
    fchown(&open, Some(account.user), Some(account.group)).map_err(furnishing("change the owner of", &place))?;
    let mode = fs::Permissions::from_mode(file.mode.unwrap_or(0o644));
    open.set_permissions(mode).map_err(furnishing("change the mode of", &place))
}

fn own(path: &Path, Account { user, group }: Account, mode: u32) -> Result<()> {
    chown(path, Some(user), Some(group)).map_err(furnishing("change the owner of", path))?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(furnishing("change the mode of", path))
}

/// A file that was put over one of the machine's shows that again; any other goes. Where the machine has put another in its
/// place, ours has gone already, and that one is not ours to remove.
fn take_file(file: &File<'_>) -> Result<()> {
    let path = Path::new(file.path);
    let canonical: PathBuf = fs::canonicalize(path).unwrap_or_else(|_| path.into());
    if Mounts::read()?.point(&canonical).is_some_and(|point| point.cover == Cover::Memory) {
        return umount2(&canonical, MntFlags::MNT_DETACH).map_err(|e| furnishing("unmount", path)(e.into()));
    }
    let folder = path.parent().unwrap_or(Path::new("/"));
    if Mounts::read()?.cover(folder) == Cover::Machine {
        return Ok(());
    }
    match fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(furnishing("remove", path)(e)),
        _ => Ok(()),
    }
}
