//! [`Graph`]: what is drawn, in words and numbers that every format understands. Knows neither the engine nor where
//! anything will lie on paper.

use serde::Serialize;

/// A topology as a picture shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Graph {
    /// What it is called.
    pub name: String,
    /// Whether the kernel was looked at, so that [`Health`] means something.
    pub looked: bool,
    /// Everything that has a place of its own. Links name them by their position here.
    pub nodes: Vec<Node>,
    /// What joins two of them.
    pub links: Vec<Link>,
}

/// Something with a place of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Node {
    /// The name.
    pub name: String,
    /// What it is.
    pub shape: Shape,
    /// What is inside: addresses of `lo`, interfaces that lead nowhere.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<Line>,
    /// Whether it is as it should be.
    pub health: Health,
}

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// A namespace of the topology's own.
    Own,
    /// A namespace that exists anyway.
    Existing,
    /// The namespace that wireloom runs in.
    Host,
    /// A switch.
    Bridge,
    /// An address that is not of this topology: the far end of a tunnel.
    Remote,
}

/// A line of text, which may be of something that is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The text.
    pub text: String,
    /// Whether it is as it should be.
    pub health: Health,
}

/// What joins two nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Link {
    /// Where it begins and ends.
    pub ends: [End; 2],
    /// How it is drawn.
    pub style: Style,
    /// What is to be said of it as a whole: impairment, rate, an MTU that is not the usual one, the kind of tunnel.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Whether it carries packets.
    pub health: Health,
}

/// How a link is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Style {
    /// What goes in at one end comes out at the other.
    Cable,
    /// An interface that stands on one of another node.
    Stacked,
    /// Over a network that is not drawn.
    Tunnel,
    /// No link: a bridge lives in this node.
    Inside,
}

/// One end of a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct End {
    /// The position of the node in [`Graph::nodes`].
    pub node: usize,
    /// The interface, where there is one on this side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface: Option<Interface>,
}

/// An interface at the end of a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Interface {
    /// The name.
    pub name: String,
    /// Whether the name tells anything: those of ports in a bridge are made up.
    pub told: bool,
    /// Its addresses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<Line>,
    /// The kind and its settings.
    pub kind: String,
    /// Whether it is as it should be.
    pub health: Health,
}

/// Whether something is as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", content = "why", rename_all = "kebab-case")]
pub enum Health {
    /// It is, as far as is known.
    Fine,
    /// It is off, and that is what the document says.
    Off,
    /// It is not, and why.
    Wrong(String),
}

impl Health {
    /// Why it is not as it should be.
    pub fn wrong(&self) -> Option<&str> {
        match self {
            Health::Wrong(why) => Some(why),
            _ => None,
        }
    }
}

impl Line {
    /// A line about which nothing is wrong.
    pub fn fine(text: impl Into<String>) -> Line {
        Line { text: text.into(), health: Health::Fine }
    }
}

impl Graph {
    /// All that is wrong, in the order of the picture, each once.
    pub fn wrongs(&self) -> Vec<String> {
        let nodes = self.nodes.iter().flat_map(|node| {
            let lines = node.lines.iter().map(|line| &line.health);
            std::iter::once(&node.health).chain(lines)
        });
        let ends = self.links.iter().flat_map(|link| &link.ends).filter_map(|end| end.interface.as_ref());
        let ends = ends.flat_map(|interface| {
            let addresses = interface.addresses.iter().map(|line| &line.health);
            std::iter::once(&interface.health).chain(addresses)
        });
        let mut found: Vec<String> = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        for why in nodes.chain(ends).filter_map(Health::wrong) {
            if seen.insert(why) {
                found.push(why.to_owned());
            }
        }
        found
    }
}
