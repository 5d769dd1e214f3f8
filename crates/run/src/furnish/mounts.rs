//! What is mounted where, and mounting. Ours are known by what they say that they were mounted from. Does not know what
//! for.

use std::{
    fs,
    path::{Path, PathBuf},
};

use nix::mount::{MsFlags, mount};

use crate::{Result, error::furnishing};

/// What our mounts say that they were mounted from.
pub(super) const SOURCE: &str = "wireloom";
const TABLE: &str = "/proc/thread-self/mountinfo";

/// A place where something is mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Point {
    pub(super) path: PathBuf,
    pub(super) cover: Cover,
}

/// Where what is written to a place goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cover {
    /// To the machine.
    Machine,
    /// Into a layer of ours over a folder of the machine.
    Layer,
    /// Into a folder of ours, or a single file.
    Memory,
}

/// The mounts of the calling thread.
pub(super) struct Mounts(pub(super) Vec<Point>);

impl Mounts {
    pub(super) fn read() -> Result<Mounts> {
        let text = fs::read_to_string(TABLE).map_err(furnishing("read", Path::new(TABLE)))?;
        Ok(Mounts(text.lines().filter_map(point).collect()))
    }

    /// The uppermost mount on exactly this place.
    pub(super) fn point(&self, path: &Path) -> Option<&Point> {
        self.0.iter().rev().find(|point| point.path == path)
    }

    /// Where what is written to this place goes, which may not be there yet.
    pub(super) fn cover(&self, path: &Path) -> Cover {
        let path = super::place::resolved(path);
        path.ancestors().find_map(|at| self.point(at)).map_or(Cover::Machine, |point| point.cover)
    }
}

/// The fifth field is the place, and the one after the kind, which follows a dash alone, is the source.
fn point(line: &str) -> Option<Point> {
    let (left, right) = line.split_once(" - ")?;
    let path = plain(left.split(' ').nth(4)?).into();
    let (kind, rest) = right.split_once(' ')?;
    let cover = match (rest.split(' ').next() == Some(SOURCE), kind) {
        (false, _) => Cover::Machine,
        (true, "overlay") => Cover::Layer,
        (true, _) => Cover::Memory,
    };
    Some(Point { path, cover })
}

/// Blanks, tabs, line breaks and backslashes are written as three octal digits.
fn plain(field: &str) -> String {
    let codes = [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")];
    codes.iter().fold(field.to_owned(), |text, (code, plain)| text.replace(code, plain))
}

/// An empty file system in memory, like `mount -t tmpfs -o mode=MODE wireloom PATH`.
pub(super) fn in_memory(path: &Path, mode: u32) -> Result<()> {
    let (flags, mode) = (MsFlags::MS_NOSUID | MsFlags::MS_NODEV, format!("mode={mode:o}"));
    let mounted = mount(Some(SOURCE), path, Some("tmpfs"), flags, Some(mode.as_str()));
    mounted.map_err(|errno| furnishing("mount a file system in memory on", path)(errno.into()))
}

/// Like `mount --bind FROM TO`.
pub(super) fn bind(from: &Path, to: &Path, more: MsFlags) -> Result<()> {
    let mounted = mount(Some(from), to, None::<&str>, MsFlags::MS_BIND | more, None::<&str>);
    mounted.map_err(|errno| furnishing("mount a file over", to)(errno.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_table_are_read() {
        let line = "36 35 98:0 /mnt1 /mnt/a\\040b rw,noatime master:1 - tmpfs wireloom rw,errors=continue";
        assert_eq!(point(line), Some(Point { path: "/mnt/a b".into(), cover: Cover::Memory }));
        assert_eq!(point(&line.replace("tmpfs", "overlay")).map(|point| point.cover), Some(Cover::Layer));
        let line = "36 35 98:0 / / rw - ext4 /dev/sda rw";
        assert_eq!(point(line), Some(Point { path: "/".into(), cover: Cover::Machine }));
    }
}
