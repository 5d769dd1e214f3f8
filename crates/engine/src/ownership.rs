//! Marks in the kernel: how we know our own objects again, and never touch those of others.

use std::fmt;

use crate::{Label, Link, LinkRef, Owner};

/// The mark in a link's alias: `wireloom:OWNER/ID`, then a space and a remark where there is one. ID is
/// `NAMESPACE:INTERFACE`, and just `NAMESPACE` on the `lo` of a namespace of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Whose link it is.
    pub owner: Owner,
    /// Which one.
    pub id: String,
    /// What the user wrote under `alias:`.
    pub remark: Option<String>,
}

impl Mark {
    const PREFIX: &str = "wireloom:";
    /// Bytes of an alias (IFALIASZ of linux/if.h, less the terminator).
    pub const MOST: usize = 255;

    /// The mark of a link.
    pub fn link(owner: &Owner, at: &LinkRef, remark: Option<&str>) -> Mark {
        Mark { owner: owner.clone(), id: at.to_string(), remark: remark.map(str::to_owned) }
    }

    /// The mark of a namespace of ours, on its `lo`.
    pub fn netns(owner: &Owner, label: &Label) -> Mark {
        Mark { owner: owner.clone(), id: label.to_string(), remark: None }
    }

    /// Reads a mark from an alias; `None` where it is not ours.
    pub fn parse(alias: &str) -> Option<Mark> {
        let (mark, remark) = match alias.split_once(' ') {
            Some((mark, remark)) => (mark, Some(remark.to_owned())),
            None => (alias, None),
        };
        let (owner, id) = mark.strip_prefix(Self::PREFIX)?.split_once('/')?;
        Some(Mark { owner: owner.parse().ok()?, id: id.to_owned(), remark })
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}/{}", Self::PREFIX, self.owner, self.id)?;
        self.remark.as_ref().map_or(Ok(()), |remark| write!(f, " {remark}"))
    }
}

impl Link {
    /// The mark of ours that this link carries.
    pub fn mark(&self) -> Option<Mark> {
        self.alias.as_deref().and_then(Mark::parse)
    }

    /// Whether this observed link belongs to `owner`.
    pub fn belongs_to(&self, owner: &Owner) -> bool {
        self.claimed || self.mark().is_some_and(|mark| mark.owner == *owner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_as_it_was_written() {
        let owner: Owner = "triangle".parse().unwrap();
        let mark = Mark::link(&owner, &"r1:eth1".parse().unwrap(), Some("to the lab"));
        assert_eq!(mark.to_string(), "wireloom:triangle/r1:eth1 to the lab");
        assert_eq!(Mark::parse(&mark.to_string()), Some(mark));
        for foreign in ["", "uplink", "wireloom:", "wireloom:a.b/c", "wireloom-triangle/r1"] {
            assert_eq!(Mark::parse(foreign), None, "{foreign:?}");
        }
    }
}
