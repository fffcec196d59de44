//! Owns: the product's members and JSON. Does not own: its prices.

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::json;

use super::nulls;

#[derive(Debug, Clone)]
pub(crate) struct Product {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) is_active: bool,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) default_price: Option<String>,
    pub(crate) metadata: BTreeMap<String, String>,
}

const NULLS: [&str; 6] = ["package_dimensions", "shippable", "statement_descriptor", "tax_code", "unit_label", "url"];

impl Serialize for Product {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &self.id)?;
        map.serialize_entry("object", "product")?;
        map.serialize_entry("active", &self.is_active)?;
        map.serialize_entry("created", &self.created)?;
        map.serialize_entry("default_price", &self.default_price)?;
        map.serialize_entry("description", &self.description)?;
        map.serialize_entry("images", &json!([]))?;
        map.serialize_entry("livemode", &false)?;
        map.serialize_entry("marketing_features", &json!([]))?;
        map.serialize_entry("metadata", &self.metadata)?;
        map.serialize_entry("name", &self.name)?;
        map.serialize_entry("type", "service")?;
        map.serialize_entry("updated", &self.updated)?;
        nulls(&mut map, &NULLS)?;
        map.end()
    }
}
