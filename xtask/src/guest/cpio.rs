//! Archives that the kernel unpacks as its first root: cpio in the `newc` form, uncompressed.
//! (Documentation/driver-api/early-userspace/buffer-format.rst.) Deliberately knows files, folders and links only.

use std::collections::BTreeSet;
use std::path::{Component, Path};

/// Type and permission bits, as in stat(2).
const FOLDER: u32 = 0o040_755;
const PROGRAM: u32 = 0o100_755;
const LINK: u32 = 0o120_777;

/// An archive being written.
#[derive(Default)]
pub(super) struct Archive {
    bytes: Vec<u8>,
    paths: BTreeSet<String>,
}

impl Archive {
    /// A folder, and those above it.
    pub(super) fn folder(&mut self, path: &Path) {
        let names = path.components().filter_map(|part| match part {
            Component::Normal(name) => name.to_str(),
            _ => None,
        });
        let mut whole = String::new();
        for name in names {
            whole = if whole.is_empty() { name.to_owned() } else { format!("{whole}/{name}") };
            self.entry(&whole, FOLDER, &[]);
        }
    }

    /// A file that everyone may run, and its folders.
    pub(super) fn program(&mut self, path: &Path, content: &[u8]) {
        self.below(path, PROGRAM, content);
    }

    /// A symbolic link, and its folders.
    pub(super) fn link(&mut self, path: &Path, to: &Path) {
        self.below(path, LINK, to.as_os_str().as_encoded_bytes());
    }

    /// Whether there is something at the path already.
    pub(super) fn has(&self, path: &Path) -> bool {
        self.paths.contains(path.to_string_lossy().trim_start_matches('/'))
    }

    /// The archive, closed.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.entry("TRAILER!!!", 0, &[]);
        self.bytes
    }

    /// An entry with its folders.
    fn below(&mut self, path: &Path, mode: u32, content: &[u8]) {
        path.parent().into_iter().for_each(|folder| self.folder(folder));
        self.entry(path.to_string_lossy().trim_start_matches('/'), mode, content);
    }

    /// Header, name and content, each padded to four bytes; the first entry of a path wins.
    fn entry(&mut self, path: &str, mode: u32, content: &[u8]) {
        if !self.paths.insert(path.to_owned()) {
            return;
        }
        let inode = self.paths.len();
        let (size, name_size) = (content.len(), path.len() + 1);
        // magic, inode, mode, uid, gid, links, mtime, size, device (2), device number (2), size of the name, checksum
        let header = format!(
            "070701{inode:08x}{mode:08x}{0:08x}{0:08x}{1:08x}{0:08x}{size:08x}{0:08x}{0:08x}{0:08x}{0:08x}{name_size:08x}{0:08x}",
            0, 1
        );
        for part in [[header.as_bytes(), path.as_bytes(), b"\0"].concat().as_slice(), content] {
            self.bytes.extend_from_slice(part);
            self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names and contents as the kernel would read them.
    fn unpacked(mut bytes: &[u8]) -> Vec<(String, u32, Vec<u8>)> {
        let mut entries = Vec::new();
        loop {
            let field = |at: usize| u32::from_str_radix(std::str::from_utf8(&bytes[at..at + 8]).unwrap(), 16).unwrap();
            let (mode, size, name_size) = (field(14), field(54) as usize, field(94) as usize);
            let name = String::from_utf8(bytes[110..110 + name_size - 1].to_vec()).unwrap();
            let start = (110 + name_size).next_multiple_of(4);
            entries.push((name, mode, bytes[start..start + size].to_vec()));
            bytes = &bytes[(start + size).next_multiple_of(4)..];
            if bytes.is_empty() {
                return entries;
            }
        }
    }

    #[test]
    fn what_is_packed_can_be_unpacked() {
        let mut archive = Archive::default();
        archive.program(Path::new("/sbin/ip"), b"12345");
        archive.program(Path::new("/sbin/ip"), b"the second is not taken");
        archive.link(Path::new("/sbin/tc"), Path::new("ip"));
        assert!(archive.has(Path::new("/sbin/ip")));
        let entries = unpacked(&archive.finish());
        let expected: [(&str, u32, &[u8]); 4] =
            [("sbin", FOLDER, b""), ("sbin/ip", PROGRAM, b"12345"), ("sbin/tc", LINK, b"ip"), ("TRAILER!!!", 0, b"")];
        assert_eq!(entries, expected.map(|(name, mode, content)| (name.to_owned(), mode, content.to_vec())));
    }
}
