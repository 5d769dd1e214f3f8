//! Settings of network devices as ethtool(8) names them: `ethtool.LINK.GROUP.NAME`, like `ethtool.eth0.features.tso`. Does not
//! know which there are: wireloom-netlink and the kernel do.

use std::{fmt, io, str::FromStr};

use wireloom_netlink::{
    Ethtool,
    ethtool::{Setting, SettingError},
};
use wireloom_netns::Netns;

use crate::{Error, IfName, Label};

pub(crate) const PREFIX: &str = "ethtool.";

/// A setting of a link, like `ethtool -K LINK NAME`; written as the key of a [`Namespace`](crate::Namespace)'s settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceSetting {
    ifname: IfName,
    setting: Setting,
}

impl DeviceSetting {
    /// A setting of ethtool's `group` (`features`, `ring`, `channels`, `coalesce`, `pause`, `link`), for a value.
    ///
    /// # Errors
    /// There is no such setting, or it does not take that value.
    pub fn new(ifname: IfName, group: &str, name: &str, value: &str) -> Result<DeviceSetting, SettingError> {
        let setting = Setting::new(group.parse()?, name)?;
        setting.check(value).map(|()| DeviceSetting { ifname, setting })
    }
}

impl fmt::Display for DeviceSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}.{}", self.ifname.as_str().replace('.', "/"), self.setting)
    }
}

/// Reads what [`Display`](fmt::Display) writes.
impl FromStr for DeviceSetting {
    type Err = SettingError;

    fn from_str(key: &str) -> Result<DeviceSetting, SettingError> {
        let unknown = || SettingError::Group(key.to_owned());
        let (ifname, setting) = key.strip_prefix(PREFIX).and_then(|rest| rest.split_once('.')).ok_or_else(unknown)?;
        let ifname = ifname.replace('/', ".").parse().map_err(|_| unknown())?;
        Ok(DeviceSetting { ifname, setting: setting.parse()? })
    }
}

/// Whether a setting is one of these.
pub(crate) fn is_key(key: &str) -> bool {
    key.starts_with(PREFIX)
}

/// Reads settings; one that its link does not have, or whose link is not there, is left out.
pub(crate) fn read_all(netns: &Netns, label: &Label, keys: &[&String]) -> Result<Vec<(String, String)>, Error> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let mut ethtool = Ethtool::open(netns).map_err(Error::netlink(label))?;
    let mut found = Vec::new();
    for key in keys {
        let DeviceSetting { ifname, setting } = parse(label, key)?;
        let value = ethtool.get(ifname.as_str(), &setting).map_err(Error::netlink(label))?;
        found.extend(value.map(|value| ((*key).clone(), value)));
    }
    Ok(found)
}

/// Writes a setting, after `record` has been given the value from before.
pub(crate) fn write(
    netns: &Netns,
    label: &Label,
    key: &str,
    value: &str,
    record: impl FnOnce(&str) -> io::Result<()>,
) -> Result<(), Error> {
    let DeviceSetting { ifname, setting } = parse(label, key)?;
    let mut ethtool = Ethtool::open(netns).map_err(Error::netlink(label))?;
    let before = ethtool.get(ifname.as_str(), &setting).map_err(Error::netlink(label))?;
    let missing = || Error::NotSupported {
        feature: format!("setting {setting} of ethtool, which {label}:{ifname} needs"),
        since: None,
    };
    record(&before.ok_or_else(missing)?).map_err(Error::Journal)?;
    ethtool.set(ifname.as_str(), &setting, value).map_err(Error::netlink(label))
}

fn parse(label: &Label, key: &str) -> Result<DeviceSetting, Error> {
    key.parse().map_err(|_| Error::SysctlName { netns: label.clone(), key: key.to_owned() })
}
