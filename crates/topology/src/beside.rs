//! Files that a document names: found from its folder, small, and texts. With `load` and `variables` the only place of this
//! crate that touches files. Does not know what they are for.

use std::{
    fs::{self, File},
    io::Read,
    path::Path,
};

use crate::{load::reason, wrong::Wrong};

/// The largest such file, in bytes.
const LARGEST: u64 = 1 << 20;

/// Reads a file that `document` names.
pub(crate) fn read(document: &str, name: &str) -> Result<String, Wrong> {
    let path = Path::new(document).parent().unwrap_or(Path::new("")).join(name);
    let wrong = |why: &str, help: &str| Wrong::new(format!("`{}` {why}", path.display()), help);
    let unreadable = |error: std::io::Error| {
        wrong(
            &format!("cannot be read: {}", reason(&error)),
            "check the path; it counts from the folder of the document",
        )
    };
    // Of a pipe there may never be an end.
    if !fs::metadata(&path).map_err(unreadable)?.is_file() {
        return Err(wrong("is not a file", "name a file"));
    }
    let mut bytes = Vec::new();
    File::open(&path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes)).map_err(unreadable)?;
    if bytes.len() as u64 > LARGEST {
        return Err(wrong(
            "is larger than 1 MiB",
            "nodes see the files of the machine: leave large ones where they are",
        ));
    }
    String::from_utf8(bytes).map_err(|_| wrong("is not a text in UTF-8", "only texts can be given to a node"))
}
