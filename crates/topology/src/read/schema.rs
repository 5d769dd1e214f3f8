//! JSON Schemas of the wrappers: those of what they wrap. Places and mistakes are no part of a document.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::read::{Entries, Field, Items, Never, OneOrMany, Shape, Spanned};

macro_rules! transparent {
    ($($name:ident as $inner:ty),*) => {$(
        impl<T: JsonSchema> JsonSchema for $name<T> {
            fn inline_schema() -> bool {
                <$inner>::inline_schema()
            }

            fn schema_name() -> Cow<'static, str> {
                <$inner>::schema_name()
            }

            fn schema_id() -> Cow<'static, str> {
                <$inner>::schema_id()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                <$inner>::json_schema(generator)
            }
        }
    )*};
}

transparent!(Field as T, Spanned as T, Items as Vec<T>, Entries as std::collections::BTreeMap<String, T>);

impl<T: JsonSchema> JsonSchema for OneOrMany<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("OneOrMany_{}", T::schema_name()).into()
    }

    fn schema_id() -> Cow<'static, str> {
        format!("OneOrMany<{}>", T::schema_id()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        json_schema!({"anyOf": [one.clone(), {"type": "array", "items": one}]})
    }
}

impl JsonSchema for Never {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Never".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        false.into()
    }
}

impl<S: JsonSchema, L: JsonSchema, M: JsonSchema> JsonSchema for Shape<S, L, M> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Shape_{}_{}_{}", S::schema_name(), L::schema_name(), M::schema_name()).into()
    }

    fn schema_id() -> Cow<'static, str> {
        format!("Shape<{}, {}, {}>", S::schema_id(), L::schema_id(), M::schema_id()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let shapes = [generator.subschema_for::<S>(), generator.subschema_for::<L>(), generator.subschema_for::<M>()];
        let open: Vec<Schema> = shapes.into_iter().filter(|shape| shape.as_bool() != Some(false)).collect();
        json_schema!({"anyOf": open})
    }
}
