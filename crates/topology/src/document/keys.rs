//! How a mapping of the document is declared: each key once. Does not know any key.

/// A struct whose fields are the keys of a mapping: `key: Type` becomes `key: Field<Type>`, and the struct can list the
/// keys that are given.
macro_rules! keys {
    ($(#[$about:meta])* pub(crate) struct $name:ident { $($(#[$note:meta])* $key:ident: $type:ty,)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Default, serde::Deserialize, schemars::JsonSchema)]
        #[serde(default, rename_all = "kebab-case")]
        #[schemars(deny_unknown_fields)]
        pub(crate) struct $name { $($(#[$note])* pub(crate) $key: $crate::read::Field<$type>,)* }

        #[allow(dead_code, reason = "not every mapping is asked both questions")]
        impl $name {
            /// The keys that are given, with the places of their values.
            pub(crate) fn given(&self) -> impl Iterator<Item = (String, $crate::source::Span)> {
                let given = [$((stringify!($key), self.$key.span())),*].into_iter();
                given.filter_map(|(key, span)| Some((key.trim_start_matches("r#").replace('_', "-"), span?)))
            }

            /// Whether a value is wrong, which has been noted: then whatever follows from it is not worth a word.
            pub(crate) fn has_bad(&self) -> bool {
                false $(|| self.$key.is_bad())*
            }
        }
    };
}
pub(crate) use keys;

/// Keys that are known, but not yet done: nobody is to be led to them.
pub(crate) static LATER: [&str; 2] = ["container", "service"];

/// A key that is known, but not yet done: whatever stands there is refused with an explanation.
macro_rules! later {
    ($(#[$about:meta])* $name:ident: $message:literal, $help:literal) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq)]
        pub(crate) enum $name {}

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
                Err(serde::de::Error::custom($crate::wrong::Wrong::new($message, $help)))
            }
        }

        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({"deprecated": true, "$comment": $message})
            }
        }
    };
}

later! {
    /// `container:`, `service:`.
    Container: "wiring containers comes with a later version; this one wires namespaces",
    "write `node: NAME` with a node of the document, or `netns: PATH` for a namespace that exists"
}
