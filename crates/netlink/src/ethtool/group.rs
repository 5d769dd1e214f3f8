//! Groups of settings, each with a command to read it and one to change it, and what each setting is in a message.

use std::{fmt, str::FromStr};

use super::{SettingError, number};
use crate::frame::push_attribute;

/// A group of settings, as `ethtool`'s long options name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// `-K`, `--features`, `--offload`
    Features,
    /// `-G`, `--set-ring`
    Ring,
    /// `-L`, `--set-channels`
    Channels,
    /// `-C`, `--coalesce`
    Coalesce,
    /// `-A`, `--pause`
    Pause,
    /// `-s`, `--change`
    Link,
}

/// One setting in a message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    /// The attribute's type.
    kind: u16,
    form: Form,
}

/// How a value is written.
#[derive(Debug, Clone, Copy)]
enum Form {
    /// A byte.
    Switch,
    /// Four bytes.
    Number,
    /// A byte: DUPLEX_HALF or DUPLEX_FULL.
    Duplex,
}

/// What a feature's value looks like; where it stands is said by its name.
pub(super) const FEATURE: Field = Field { kind: 0, form: Form::Switch };

/// A group's words in linux/ethtool_netlink.h, and its settings.
struct Entry {
    group: Group,
    /// As in documents.
    name: &'static str,
    /// ETHTOOL_MSG_*_GET; the one to change it comes next.
    get: u8,
    names: [&'static str; 2],
    fields: &'static [(&'static str, u16, Form)],
}

use Form::{Duplex, Number, Switch};

const GROUPS: [Entry; 6] = [
    Entry {
        group: Group::Features,
        name: "features",
        get: 11,
        names: ["ETHTOOL_MSG_FEATURES_GET", "ETHTOOL_MSG_FEATURES_SET"],
        fields: &[],
    },
    Entry {
        group: Group::Ring,
        name: "ring",
        get: 15,
        names: ["ETHTOOL_MSG_RINGS_GET", "ETHTOOL_MSG_RINGS_SET"],
        fields: &[("rx", 6, Number), ("rx-mini", 7, Number), ("rx-jumbo", 8, Number), ("tx", 9, Number)],
    },
    Entry {
        group: Group::Channels,
        name: "channels",
        get: 17,
        names: ["ETHTOOL_MSG_CHANNELS_GET", "ETHTOOL_MSG_CHANNELS_SET"],
        fields: &[("rx", 6, Number), ("tx", 7, Number), ("other", 8, Number), ("combined", 9, Number)],
    },
    Entry {
        group: Group::Coalesce,
        name: "coalesce",
        get: 19,
        names: ["ETHTOOL_MSG_COALESCE_GET", "ETHTOOL_MSG_COALESCE_SET"],
        fields: &[
            ("rx-usecs", 2, Number),
            ("rx-frames", 3, Number),
            ("rx-usecs-irq", 4, Number),
            ("rx-frames-irq", 5, Number),
            ("tx-usecs", 6, Number),
            ("tx-frames", 7, Number),
            ("tx-usecs-irq", 8, Number),
            ("tx-frames-irq", 9, Number),
            ("adaptive-rx", 11, Switch),
            ("adaptive-tx", 12, Switch),
        ],
    },
    Entry {
        group: Group::Pause,
        name: "pause",
        get: 21,
        names: ["ETHTOOL_MSG_PAUSE_GET", "ETHTOOL_MSG_PAUSE_SET"],
        fields: &[("autoneg", 2, Switch), ("rx", 3, Switch), ("tx", 4, Switch)],
    },
    Entry {
        group: Group::Link,
        name: "link",
        get: 4,
        names: ["ETHTOOL_MSG_LINKMODES_GET", "ETHTOOL_MSG_LINKMODES_SET"],
        fields: &[("autoneg", 2, Switch), ("speed", 5, Number), ("duplex", 6, Duplex)],
    },
];

impl Group {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Group> {
        GROUPS.iter().map(|entry| entry.group)
    }

    /// The names of its settings; none for features, whose names the kernel alone knows.
    pub fn settings(self) -> impl Iterator<Item = &'static str> {
        self.entry().fields.iter().map(|(name, ..)| *name)
    }

    fn entry(self) -> &'static Entry {
        GROUPS.iter().find(|entry| entry.group == self).expect("every group has an entry")
    }

    pub(super) fn get(self) -> u8 {
        self.entry().get
    }

    pub(super) fn set(self) -> u8 {
        self.entry().get + 1
    }

    pub(super) fn name_of_get(self) -> &'static str {
        self.entry().names[0]
    }

    pub(super) fn name_of_set(self) -> &'static str {
        self.entry().names[1]
    }

    pub(super) fn field(self, name: &str) -> Option<Field> {
        let (_, kind, form) = self.entry().fields.iter().find(|(known, ..)| *known == name)?;
        Some(Field { kind: *kind, form: *form })
    }
}

impl FromStr for Group {
    type Err = SettingError;

    fn from_str(name: &str) -> Result<Group, SettingError> {
        let entry = GROUPS.iter().find(|entry| entry.name == name);
        entry.map(|entry| entry.group).ok_or_else(|| SettingError::Group(name.to_owned()))
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.entry().name)
    }
}

impl Field {
    /// In words.
    pub(super) fn takes(self) -> &'static str {
        match self.form {
            Switch => "`on` or `off`",
            Number => "a number",
            Duplex => "`half` or `full`",
        }
    }

    pub(super) fn parse(self, value: &str) -> Option<u32> {
        match (self.form, value) {
            (Switch, "off") | (Duplex, "half") => Some(0),
            (Switch, "on") | (Duplex, "full") => Some(1),
            (Number, number) => number.parse().ok(),
            _ => None,
        }
    }

    /// Appends a value that it takes.
    pub(super) fn push(self, message: &mut Vec<u8>, value: &str) {
        let Some(number) = self.parse(value) else { return };
        match self.form {
            Number => push_attribute(message, self.kind, &number.to_ne_bytes()),
            Switch | Duplex => push_attribute(message, self.kind, &[u8::from(number != 0)]),
        }
    }

    /// Nothing where the device does not have it.
    pub(super) fn read(self, message: &[u8]) -> Option<String> {
        let number = number(message, self.kind)?;
        match (self.form, number) {
            (Number, number) => Some(number.to_string()),
            (Switch, 0) => Some("off".to_owned()),
            (Switch, _) => Some("on".to_owned()),
            (Duplex, 0) => Some("half".to_owned()),
            (Duplex, 1) => Some("full".to_owned()),
            // DUPLEX_UNKNOWN
            (Duplex, _) => None,
        }
    }
}
