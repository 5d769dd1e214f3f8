//! Settings of network devices (linux/ethtool_netlink.h): offloads, rings, channels, coalescing, pause frames, speed. Does
//! not know why a setting is wanted.

use std::{fmt, str::FromStr};

use nix::errno::Errno;
use wireloom_netns::Netns;

use crate::Error;
use crate::frame::{attributes, push_attribute, u32_at};
use crate::generic::{Command, Family};
use crate::kernel::NLA_F_NESTED as NESTED;

mod feature;
mod group;

pub use group::Group;

const ETHTOOL_MSG_STRSET_GET: u8 = 1;
const ETHTOOL_A_HEADER_DEV_NAME: u16 = 2;
/// Every message of the family begins with its header.
const HEADER: u16 = 1;

/// A setting of a device: what `ethtool` calls its group and it, like `features` and `tso`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Setting {
    group: Group,
    name: String,
}

/// Why a text is no [`Setting`], or no value of one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// There is no such group.
    #[error("unknown group `{0}` of ethtool settings")]
    Group(String),
    /// The group has no such setting.
    #[error("unknown setting `{name}` of ethtool's {group}")]
    Name {
        /// The group.
        group: Group,
        /// What was asked for.
        name: String,
    },
    /// The setting does not take such a value.
    #[error("`{value}` is no value of ethtool's {setting}")]
    Value {
        /// The setting.
        setting: Setting,
        /// What it was to be.
        value: String,
        /// What it takes, in words.
        takes: &'static str,
    },
}

impl SettingError {
    /// What would be right.
    pub fn help(&self) -> String {
        match self {
            SettingError::Group(_) => format!("there are {}", list(Group::all().map(|group| group.to_string()))),
            SettingError::Name { group, .. } if group.settings().next().is_none() => {
                "write a name like `tso`".to_owned()
            }
            SettingError::Name { group, .. } => format!("there are {}", list(group.settings().map(str::to_owned))),
            SettingError::Value { takes, .. } => format!("write {takes}"),
        }
    }
}

fn list(names: impl Iterator<Item = String>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

impl Setting {
    /// A setting of a group.
    ///
    /// # Errors
    /// The group has none of that name. The kernel alone knows the names of features: they are not checked here.
    pub fn new(group: Group, name: &str) -> Result<Setting, SettingError> {
        let setting = Setting { group, name: name.to_owned() };
        let well_formed = || !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        let known = if group == Group::Features { well_formed() } else { group.field(name).is_some() };
        known.then_some(setting).ok_or_else(|| SettingError::Name { group, name: name.to_owned() })
    }

    /// Whether the setting takes the value: `on` or `off`, a number, `half` or `full`.
    ///
    /// # Errors
    /// It does not.
    pub fn check(&self, value: &str) -> Result<(), SettingError> {
        let field = self.group.field(&self.name).unwrap_or(group::FEATURE);
        let wrong = || SettingError::Value { setting: self.clone(), value: value.to_owned(), takes: field.takes() };
        field.parse(value).map(drop).ok_or_else(wrong)
    }
}

/// `GROUP.NAME`, as [`Display`](fmt::Display) writes it.
impl FromStr for Setting {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Setting, SettingError> {
        let (group, name) = text.split_once('.').ok_or_else(|| SettingError::Group(text.to_owned()))?;
        Setting::new(group.parse()?, name)
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.group, self.name)
    }
}

/// The settings of the devices in one namespace.
#[derive(Debug)]
pub struct Ethtool(Family);

impl Ethtool {
    /// Opens a socket in the namespace.
    ///
    /// # Errors
    /// `EOPNOTSUPP` where the kernel has none of this (before Linux 5.6).
    pub fn open(netns: &Netns) -> crate::Result<Ethtool> {
        let missing = || refused(Errno::EOPNOTSUPP, "ethtool by netlink needs Linux 5.6".to_owned());
        Family::open(netns, "ethtool", 1)?.map(Ethtool).ok_or_else(missing)
    }

    /// The value of a setting, like `ethtool -k DEV`, `-g`, `-l`, `-c`, `-a`; nothing where the device does not have the
    /// setting, or there is no device.
    ///
    /// # Errors
    /// The kernel's.
    pub fn get(&mut self, device: &str, setting: &Setting) -> crate::Result<Option<String>> {
        let asked = header(device);
        let command = Command { name: setting.group.name_of_get(), number: setting.group.get(), attributes: &asked };
        let outcome = match setting.group {
            Group::Features => self.0.get(&command, |found| Some(feature::read(found, &setting.name))),
            _ => self.0.get(&command, |found| Some(setting.group.field(&setting.name)?.read(found))),
        };
        match outcome {
            // A device that cannot have a feature has it off.
            Ok(Some(None)) if setting.group == Group::Features => Ok(self.is_known(setting)?.then(|| "off".to_owned())),
            Ok(found) => Ok(found.flatten()),
            Err(error) if error.errno() == Some(Errno::EOPNOTSUPP) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Changes a setting, like `ethtool -K DEV`, `-G`, `-L`, `-C`, `-A`, `-s`.
    ///
    /// # Errors
    /// The kernel's; `EINVAL` for a value that [`Setting::check`] refuses.
    pub fn set(&mut self, device: &str, setting: &Setting, value: &str) -> crate::Result<()> {
        setting.check(value).map_err(|wrong| refused(Errno::EINVAL, format!("{wrong}: {}", wrong.help())))?;
        let mut message = header(device);
        match setting.group.field(&setting.name) {
            Some(field) => field.push(&mut message, value),
            None => feature::push(&mut message, &self.members(device, setting)?, value == "on"),
        }
        let command = Command { name: setting.group.name_of_set(), number: setting.group.set(), attributes: &message };
        self.0.request(&command)
    }

    fn is_known(&mut self, setting: &Setting) -> crate::Result<bool> {
        let asked = feature::ask_names();
        let command = Command { name: "ETHTOOL_MSG_STRSET_GET", number: ETHTOOL_MSG_STRSET_GET, attributes: &asked };
        let known = self.0.get(&command, |found| Some(feature::is_known(found, &setting.name)))?;
        Ok(known.unwrap_or_default())
    }

    /// The features that a name stands for, as far as the device lets them be changed; else the name, for the kernel to
    /// refuse.
    fn members(&mut self, device: &str, setting: &Setting) -> crate::Result<Vec<String>> {
        let asked = header(device);
        let (name, number) = (setting.group.name_of_get(), setting.group.get());
        let command = Command { name, number, attributes: &asked };
        let found = self.0.get(&command, |found| Some(feature::changeable(found, &setting.name)))?;
        Ok(found.filter(|names| !names.is_empty()).unwrap_or_else(|| vec![setting.name.clone()]))
    }
}

/// A refusal that the kernel need not be asked for.
fn refused(errno: Errno, message: String) -> Error {
    Error::Refused { request: "ethtool", errno, message: Some(message), offset: None, missing: None }
}

fn header(device: &str) -> Vec<u8> {
    let mut name = Vec::new();
    push_attribute(&mut name, ETHTOOL_A_HEADER_DEV_NAME, &[device.as_bytes(), b"\0"].concat());
    let mut message = Vec::new();
    push_attribute(&mut message, HEADER | NESTED, &name);
    message
}

/// The number in the first attribute of that type: one byte or four.
fn number(bytes: &[u8], kind: u16) -> Option<u32> {
    let (_, value) = attributes(bytes).find(|(found, _)| *found == kind)?;
    u32_at(value, 0).or_else(|| value.first().map(|byte| u32::from(*byte)))
}
