//! The JSON Schema of documents, for editors. Does not check documents: the reader does, and says more.

use schemars::generate::SchemaSettings;

use crate::document::Document;

/// The JSON Schema (draft 2020-12) of a document.
pub fn schema() -> serde_json::Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<Document>();
    schema.insert("title".into(), "Wireloom topology".into());
    // A document may carry anything under keys of its own, and the whole document may stand under `x-network`.
    let properties = schema.get_mut("properties").and_then(|properties| properties.as_object_mut());
    if let Some(properties) = properties {
        let about = "The same keys again: for documents that are compose files too.";
        properties.insert("x-network".into(), serde_json::json!({"$ref": "#", "description": about}));
    }
    schema.insert("patternProperties".into(), serde_json::json!({"^x-": {}}));
    schema.to_value()
}
