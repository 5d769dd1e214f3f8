//! Users and groups by name, from /etc/passwd and /etc/group themselves: the C library's look-up loads modules, which a
//! static program cannot. Does not know what is theirs.

use std::{fs, path::Path};

use crate::{Error, Result, error::furnishing};

/// A user and a group; root's without more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) user: u32,
    pub(super) group: u32,
}

/// `USER` with its first group, or `USER:GROUP`; names or numbers. `path` is what it is wanted for.
pub(super) fn look_up(owner: &str, path: &Path) -> Result<Account> {
    let unknown = |kind, name: &str| Error::NoAccount { kind, name: name.into(), path: path.into() };
    let (user, group) = owner.split_once(':').map_or((owner, None), |(user, group)| (user, Some(group)));
    let users = read("/etc/passwd")?;
    let entry = entry(&users, user);
    let number = |field: usize| entry.and_then(|entry| entry.split(':').nth(field)?.parse().ok());
    let first = number(3);
    let user = user.parse().ok().or_else(|| number(2)).ok_or_else(|| unknown("user", user))?;
    let group = match group {
        None => first.unwrap_or(user),
        Some(group) => of_group(group)?.ok_or_else(|| unknown("group", group))?,
    };
    Ok(Account { user, group })
}

fn of_group(group: &str) -> Result<Option<u32>> {
    if let Ok(number) = group.parse() {
        return Ok(Some(number));
    }
    Ok(entry(&read("/etc/group")?, group).and_then(|entry| entry.split(':').nth(2)?.parse().ok()))
}

fn entry<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find(|line| line.split(':').next() == Some(name))
}

fn read(file: &str) -> Result<String> {
    fs::read_to_string(file).map_err(furnishing("read", Path::new(file)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_names_or_numbers() {
        let look = |owner| look_up(owner, Path::new("/x"));
        assert_eq!(look("root").unwrap(), Account { user: 0, group: 0 });
        assert_eq!(look("7:root").unwrap(), Account { user: 7, group: 0 });
        assert_eq!(look("root:12").unwrap(), Account { user: 0, group: 12 });
        assert_eq!(look("4711").unwrap(), Account { user: 4711, group: 4711 });
        assert_eq!(
            look("no-such-user").unwrap_err().to_string(),
            "give /x to user no-such-user: there is no such user"
        );
        assert!(look("root:no-such-group").is_err());
    }
}
