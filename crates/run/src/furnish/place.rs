//! Folders for what a room is to have, where the machine has none: made in a layer over the nearest folder that it has,
//! so that the machine's stays as it is. Does not know what comes there.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    os::{
        fd::AsRawFd,
        unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown},
    },
    path::{Path, PathBuf},
};

use nix::{
    fcntl::OFlag,
    mount::{MsFlags, mount},
};

use super::{
    STORE,
    mounts::{Cover, Mounts, SOURCE, bind},
};
use crate::{Error, Result, error::furnishing};

/// Makes a folder and those above it, unless they are there, where only the room sees them.
pub(super) fn make_folder(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let from = nearest(path);
    if !from.is_dir() {
        return Err(Error::NotFolder { path: from });
    }
    if Mounts::read()?.cover(&from) == Cover::Machine {
        overlay(&from)?;
    }
    DirBuilder::new().recursive(true).mode(0o755).create(path).map_err(furnishing("make", path))
}

/// The nearest that is there of a place and those above it, without symbolic links.
pub(super) fn nearest(path: &Path) -> PathBuf {
    path.ancestors().find_map(|at| fs::canonicalize(at).ok()).unwrap_or_else(|| "/".into())
}

/// The place without symbolic links, as far as it is there.
pub(super) fn resolved(path: &Path) -> PathBuf {
    let there = path.ancestors().find_map(|at| Some((at, fs::canonicalize(at).ok()?)));
    match there {
        // Joined with nothing it would end in a slash, as folders do.
        Some((at, there)) if at == path => there,
        Some((at, there)) => path.strip_prefix(at).map_or(path.into(), |rest| there.join(rest)),
        None => path.into(),
    }
}

/// A layer over a folder of the machine: what it has shows through, and what is written there stays in the room.
pub(super) fn overlay(folder: &Path) -> Result<()> {
    if folder == Path::new("/") {
        return Err(Error::NoRoom { path: folder.into() });
    }
    let store = in_store("layers")?;
    let (upper, work) = (store.join("upper"), store.join("work"));
    for part in [&store, &upper, &work] {
        DirBuilder::new().mode(0o700).create(part).map_err(furnishing("make", part))?;
    }
    let look = fs::metadata(folder).map_err(furnishing("look at", folder))?;
    chown(&upper, Some(look.uid()), Some(look.gid())).map_err(furnishing("change the owner of", &upper))?;
    fs::set_permissions(&upper, fs::Permissions::from_mode(look.mode() & 0o7777))
        .map_err(furnishing("change the mode of", &upper))?;
    let below = below(folder)?;
    let options = format!("lowerdir={},upperdir={},workdir={}", escaped(folder), upper.display(), work.display());
    let mounted = mount(Some(SOURCE), folder, Some("overlay"), MsFlags::empty(), Some(options.as_str()));
    mounted.map_err(|errno| furnishing("mount a layer over", folder)(errno.into()))?;
    // A layer shows files, and not what is mounted on them.
    below.iter().try_for_each(|(file, at)| {
        let from = PathBuf::from(format!("/proc/thread-self/fd/{}", file.as_raw_fd()));
        bind(&from, at, MsFlags::MS_REC)
    })
}

/// What is mounted directly below a folder, held open.
fn below(folder: &Path) -> Result<Vec<(File, PathBuf)>> {
    let Mounts(points) = Mounts::read()?;
    let mut found: Vec<(File, PathBuf)> = Vec::new();
    for point in points.into_iter().filter(|point| point.path.starts_with(folder) && point.path != *folder) {
        if found.iter().any(|(_, above)| point.path.starts_with(above)) {
            continue;
        }
        let open = OpenOptions::new().read(true).custom_flags(OFlag::O_PATH.bits()).open(&point.path);
        found.push((open.map_err(furnishing("open", &point.path))?, point.path));
    }
    Ok(found)
}

/// Colons and commas separate the options of a layer.
fn escaped(path: &Path) -> String {
    path.display().to_string().replace('\\', "\\\\").replace(':', "\\:").replace(',', "\\,")
}

/// A name in the room's store that nobody has, in one of its folders.
pub(super) fn in_store(kind: &str) -> Result<PathBuf> {
    let folder = Path::new(STORE).join(kind);
    DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(furnishing("make", &folder))?;
    let names = (0..).map(|number: u32| folder.join(number.to_string()));
    let mut free = names.filter(|name| fs::symlink_metadata(name).is_err());
    Ok(free.next().expect("there are more numbers than files"))
}
