//! A node: a namespace of our own, or one that exists.

use crate::{
    document::{
        address::HostAddress,
        command::CommandSpec,
        internet::InternetSpec,
        keys::{Container, keys},
        room::{FileSpec, FolderSpec, HostName, RunSpec},
        route::RouteLine,
        text::Text,
    },
    read::{Entries, Items, OneOrMany},
};

keys! {
    /// A node. Without `netns` it is a namespace of our own, made by `up` and gone after `down`. In all texts, `{n}` is
    /// the number that the range in the node's name gives it.
    pub(crate) struct NodeSpec {
        /// A namespace that exists: a path, or a name as `ip netns` has it. It is never made or removed.
        netns: Text<String>,
        /// Settings under /proc/sys/net, like `net.ipv4.ip_forward: 1`.
        sysctl: Entries<SysctlValue>,
        /// Routes as `ip route add` takes them, like `default via 10.0.0.1` or `blackhole 10.0.0.0/8`.
        routes: OneOrMany<Text<RouteLine>>,
        /// Addresses of `lo`, like `10.255.0.1/32`.
        loopback: OneOrMany<Text<HostAddress>>,
        /// Commands to run once the links of the node are up.
        commands: Items<CommandSpec>,
        /// Files that only this node sees, by path: their content, or where it comes from.
        files: Entries<FileSpec>,
        /// Folders that are empty at first and that only this node sees, like `/run/frr`.
        private: OneOrMany<FolderSpec>,
        /// Processes to start after the commands of the node; they run until `down`.
        run: Items<RunSpec>,
        /// What the node calls itself; its name without it.
        hostname: Text<HostName>,
        /// Not yet: a container of docker or podman, by name.
        container: Container,
        /// Not yet: the containers of a compose service.
        service: Container,
        /// Whether it has a way out: `true`, or keys. A pair of interfaces and a default route, through the host.
        internet: InternetSpec,
    }
}

/// A text; numbers and truth values are taken as they are written.
pub(crate) type SysctlValue = Text<Setting>;

/// The value of a setting.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Setting(pub(crate) String);

impl std::str::FromStr for Setting {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // /proc/sys separates values by tabs and wants 1 and 0.
        let words: Vec<&str> = text.split_whitespace().collect();
        Ok(Setting(match words.as_slice() {
            ["true"] => "1".into(),
            ["false"] => "0".into(),
            words => words.join("\t"),
        }))
    }
}
