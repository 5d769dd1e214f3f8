//! Settings of devices, as ethtool takes them: option strings or keys. Does not know which link they are for, nor which
//! settings there are.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    document::{keys::keys, text::Word},
    read::{Entries, Field, Items, Shape, Spanned, nearest},
    source::Span,
    wrong::Wrong,
};

/// Settings: a text like `--offload tx off tso off`, several of them, or keys.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct EthtoolSpec(Shape<Word<Options>, Items<Word<Options>>, EthtoolKeys>);

keys! {
    /// Settings of a device by ethtool's groups.
    pub(crate) struct EthtoolKeys {
        /// Offloads, like `{tso: off, tx: off}`; also the kernel's own names, like `rx-gro-list`.
        features: Entries<Word<Value>>,
        /// Sizes of rings, like `{rx: 512}`.
        ring: Entries<Word<Value>>,
        /// Numbers of queues in use, like `{rx: 2, tx: 2}`; needs `queues`.
        channels: Entries<Word<Value>>,
        /// Coalescing of interrupts, like `{rx-usecs: 10, adaptive-rx: off}`.
        coalesce: Entries<Word<Value>>,
        /// Pause frames, like `{rx: off, tx: off}`.
        pause: Entries<Word<Value>>,
        /// `{speed: 1000, duplex: full, autoneg: off}`, in Mbit/s.
        link: Entries<Word<Value>>,
    }
}

/// A value; YAML may take `on` and `off` for truth values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Value(String);

impl FromStr for Value {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Value(match text {
            "true" => "on".to_owned(),
            "false" => "off".to_owned(),
            other => other.to_owned(),
        }))
    }
}

/// What ethtool takes, without the device.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Options {
    group: &'static str,
    settings: Vec<(String, String)>,
}

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) group: &'static str,
    pub(crate) name: String,
    pub(crate) value: String,
}

/// ethtool's options that change something, and the groups that they change.
const OPTIONS: [(&str, &str); 13] = [
    ("--offload", "features"),
    ("--features", "features"),
    ("-K", "features"),
    ("--set-ring", "ring"),
    ("-G", "ring"),
    ("--set-channels", "channels"),
    ("-L", "channels"),
    ("--coalesce", "coalesce"),
    ("-C", "coalesce"),
    ("--pause", "pause"),
    ("-A", "pause"),
    ("--change", "link"),
    ("-s", "link"),
];

impl FromStr for Options {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        let mut words = text.split_whitespace();
        let option = words.next().unwrap_or_default();
        let group = OPTIONS.iter().find(|(known, _)| *known == option).map(|(_, group)| *group);
        let group = group.ok_or_else(|| {
            let names = OPTIONS.map(|(name, _)| name);
            Wrong::new(format!("unknown option `{option}` of ethtool"), nearest(option, &names))
        })?;
        let words: Vec<&str> = words.collect();
        if words.is_empty() || !words.len().is_multiple_of(2) {
            let help = format!("write names and values in turn, and no device, like `{option} NAME VALUE`");
            return Err(Wrong::new(format!("`{option}` takes pairs of a name and a value"), help));
        }
        let settings = words.chunks_exact(2).map(|pair| (pair[0].to_owned(), pair[1].to_owned())).collect();
        Ok(Options { group, settings })
    }
}

impl EthtoolSpec {
    /// All settings, each with its place.
    pub(crate) fn settings(&self, span: Span) -> Vec<Spanned<Setting>> {
        match &self.0 {
            Shape::Scalar(Word(options)) => options.settings(span).collect(),
            Shape::List(items) => items.iter().flat_map(|item| item.value.0.settings(item.span)).collect(),
            Shape::Mapping(keys) => keys.settings(),
        }
    }
}

impl Options {
    fn settings(&self, span: Span) -> impl Iterator<Item = Spanned<Setting>> {
        self.settings
            .iter()
            .cloned()
            .map(move |(name, value)| Spanned { value: Setting { group: self.group, name, value }, span })
    }
}

impl EthtoolKeys {
    fn settings(&self) -> Vec<Spanned<Setting>> {
        let of = |group: &'static str, field: &Field<Entries<Word<Value>>>| {
            let entries = field.get().into_iter().flatten();
            let setting = |(name, value): &(Spanned<String>, Spanned<Word<Value>>)| Spanned {
                value: Setting { group, name: name.value.clone(), value: value.value.0.0.clone() },
                span: value.span,
            };
            entries.map(setting).collect::<Vec<_>>()
        };
        let groups = [
            of("features", &self.features),
            of("ring", &self.ring),
            of("channels", &self.channels),
            of("coalesce", &self.coalesce),
            of("pause", &self.pause),
            of("link", &self.link),
        ];
        groups.concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn option_strings_name_a_group_and_pairs() {
        let options = "--offload rx off tx off".parse::<Options>().unwrap();
        let pair = |name: &str| (name.to_owned(), "off".to_owned());
        assert_eq!(options, Options { group: "features", settings: vec![pair("rx"), pair("tx")] });
        for bad in ["", "--offload", "--offload eth0 rx off", "--ofload rx off"] {
            assert!(bad.parse::<Options>().is_err(), "{bad}");
        }
    }
}
