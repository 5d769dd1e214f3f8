//! The form of every file: a first line with format and boot, then what the file is about. Written to a file beside it
//! and renamed, so that a reader sees the old one or the new one. Does not know what the rest means.

use std::{
    fs::{self, OpenOptions},
    io::{self, BufRead, BufReader, BufWriter, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::OnceLock,
};

use nix::fcntl::OFlag;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{Error, Result, error::failed};

/// The format that we write, and the newest that we read.
const VERSION: u32 = 1;

/// The first line of every file.
#[derive(Serialize, Deserialize)]
struct Header {
    version: u32,
    boot_id: String,
}

/// How every file is opened: not through a symbolic link, which would lead out of the ledger, and without waiting for
/// the other end of a pipe.
pub(crate) fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits()).mode(0o600);
    options
}

/// What follows the first line; `None` when there is no such file, or when it tells about another boot.
pub(crate) fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    let mut content = Vec::new();
    match options().read(true).open(path).and_then(|mut file| file.read_to_end(&mut content)) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(failed("read", path))?,
    };
    let end = content.iter().position(|byte| *byte == b'\n').unwrap_or(content.len());
    let header = parse_header(path, &content[..end])?;
    Ok((header.boot_id == boot_id()?).then(|| content.get(end + 1..).unwrap_or_default().to_vec()))
}

/// Whether the file tells about another boot. Reads no more than its first line.
pub(crate) fn is_stale(path: &Path) -> Result<bool> {
    let file = match options().read(true).open(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(false),
        other => other.map_err(failed("open", path))?,
    };
    let mut line = Vec::new();
    BufReader::with_capacity(512, file).read_until(b'\n', &mut line).map_err(failed("read", path))?;
    Ok(parse_header(path, &line)?.boot_id != boot_id()?)
}

/// Replaces the file as a whole: `write` gives what follows the first line.
pub(crate) fn replace(path: &Path, write: impl FnOnce(&mut dyn Write) -> serde_json::Result<()>) -> Result<()> {
    let fresh = path.with_extension("tmp");
    let encode = |cause: serde_json::Error| match cause.io_error_kind() {
        Some(_) => Error::File { operation: "write", path: fresh.clone(), cause: cause.into() },
        None => Error::Encode { path: fresh.clone(), cause },
    };
    let created = options().write(true).create(true).truncate(true).open(&fresh).map_err(failed("create", &fresh))?;
    let mut file = BufWriter::with_capacity(64 << 10, created);
    let header = Header { version: VERSION, boot_id: boot_id()?.to_owned() };
    write_line(&mut file, &header).and_then(|()| write(&mut file)).map_err(encode)?;
    file.flush().map_err(failed("write", &fresh))?;
    fs::rename(&fresh, path).map_err(failed("replace", path))
}

/// One value on a line of its own.
pub(crate) fn write_line(mut to: &mut dyn Write, value: &impl Serialize) -> serde_json::Result<()> {
    serde_json::to_writer(&mut to, value)?;
    to.write_all(b"\n").map_err(serde_json::Error::io)
}

/// Reads a value of a file.
pub(crate) fn parse<T: DeserializeOwned>(path: &Path, text: &[u8]) -> Result<T> {
    serde_json::from_slice(text).map_err(|cause| Error::Corrupt { path: path.into(), cause })
}

/// The format is looked at first: what a newer one has else on this line is not ours to judge.
fn parse_header(path: &Path, line: &[u8]) -> Result<Header> {
    #[derive(Deserialize)]
    struct Format {
        version: u32,
    }
    match parse::<Format>(path, line)?.version {
        found if found > VERSION => Err(Error::Newer { path: path.into(), found, known: VERSION }),
        _ => parse(path, line),
    }
}

/// This boot. Read once: it cannot change while we run.
fn boot_id() -> Result<&'static str> {
    const PATH: &str = "/proc/sys/kernel/random/boot_id";
    static BOOT_ID: OnceLock<String> = OnceLock::new();
    if let Some(boot_id) = BOOT_ID.get() {
        return Ok(boot_id);
    }
    let text = fs::read_to_string(PATH).map_err(failed("read", PATH))?;
    Ok(BOOT_ID.get_or_init(|| text.trim().to_owned()))
}
