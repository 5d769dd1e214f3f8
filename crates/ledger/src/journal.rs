//! A file that grows by a line at a time. What a killed writer has left of a last line is ignored, and cut off before
//! the next one is added. Does not know what the lines mean.

use std::{
    io::{Read, Seek, SeekFrom, Write},
    marker::PhantomData,
    path::PathBuf,
};

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Error, Result,
    directory::remove_any,
    error::failed,
    file::{self, write_line},
};

/// A list of records in a file.
pub(crate) struct Journal<R> {
    path: PathBuf,
    record: PhantomData<R>,
}

impl<R: Serialize + DeserializeOwned> Journal<R> {
    pub(crate) fn at(path: PathBuf) -> Journal<R> {
        Journal { path, record: PhantomData }
    }

    /// All records, oldest first; none when the file is absent or tells about another boot.
    pub(crate) fn read(&self) -> Result<Vec<R>> {
        let mut damage = None;
        let records = self.readable(&mut damage)?;
        damage.map_or(Ok(records), Err)
    }

    /// The same, as far as it can be read: what is in the way is the second answer.
    pub(crate) fn salvage(&self) -> (Vec<R>, Option<Error>) {
        let mut damage = None;
        let records = self.readable(&mut damage).unwrap_or_else(|error| {
            damage = Some(error);
            Vec::new()
        });
        (records, damage)
    }

    /// The records of all lines that can be read. The first line that cannot goes to `damage`.
    fn readable(&self, damage: &mut Option<Error>) -> Result<Vec<R>> {
        let text = file::read(&self.path)?.unwrap_or_default();
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let lines = text[..whole].split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let mut records = Vec::new();
        for line in lines {
            match file::parse(&self.path, line) {
                Ok(record) => records.push(record),
                Err(error) => drop(damage.get_or_insert(error)),
            }
        }
        Ok(records)
    }

    /// Adds a record, in a single write.
    pub(crate) fn append(&self, record: &R) -> Result<()> {
        if !self.can_grow()? {
            // Absent, of another boot, or torn: write it anew, without what cannot stay.
            self.rewrite(&self.read()?)?;
        }
        let mut line = Vec::with_capacity(256);
        write_line(&mut line, record).map_err(|cause| Error::Encode { path: self.path.clone(), cause })?;
        let mut file = file::options().append(true).open(&self.path).map_err(failed("open", &self.path))?;
        file.write_all(&line).map_err(failed("append to", &self.path))
    }

    /// Drops the records that `forget` names. With none left, the file goes. A damaged file stays as it is: writing it
    /// anew would lose what only it tells.
    pub(crate) fn forget(&self, mut forget: impl FnMut(&R) -> bool) -> Result<()> {
        let records = match self.read() {
            Err(Error::Corrupt { .. }) => return Ok(()),
            records => records?,
        };
        let count = records.len();
        let kept: Vec<R> = records.into_iter().filter(|record| !forget(record)).collect();
        match kept.len() {
            0 => remove_any(&self.path),
            left if left == count => Ok(()),
            _ => self.rewrite(&kept),
        }
    }

    fn rewrite(&self, records: &[R]) -> Result<()> {
        file::replace(&self.path, |mut to| records.iter().try_for_each(|record| write_line(&mut to, record)))
    }

    /// Whether the file is there, of this boot, and ends with a whole line.
    fn can_grow(&self) -> Result<bool> {
        if !self.path.exists() || file::is_stale(&self.path)? {
            return Ok(false);
        }
        let mut last = [0];
        let mut file = file::options().read(true).open(&self.path).map_err(failed("open", &self.path))?;
        file.seek(SeekFrom::End(-1)).and_then(|_| file.read_exact(&mut last)).map_err(failed("read", &self.path))?;
        Ok(last == *b"\n")
    }
}
