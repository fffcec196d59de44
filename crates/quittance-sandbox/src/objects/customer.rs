//! Owns: the customer's members and JSON. Does not own: who is charged.

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::json;

use super::nulls;

#[derive(Debug, Clone)]
pub(crate) struct Customer {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) metadata: BTreeMap<String, String>,
    /// A deleted customer can still be read, but only as "deleted".
    pub(crate) is_deleted: bool,
}

const NULLS: [&str; 7] =
    ["address", "currency", "default_source", "discount", "shipping", "test_clock", "customer_account"];

impl Serialize for Customer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &self.id)?;
        map.serialize_entry("object", "customer")?;
        if self.is_deleted {
            map.serialize_entry("deleted", &true)?;
            return map.end();
        }
        map.serialize_entry("balance", &0)?;
        map.serialize_entry("created", &self.created)?;
        map.serialize_entry("delinquent", &false)?;
        map.serialize_entry("description", &self.description)?;
        map.serialize_entry("email", &self.email)?;
        map.serialize_entry("invoice_prefix", &self.id.get(4..12))?;
        let settings = json!({
            "custom_fields": null, "default_payment_method": null, "footer": null, "rendering_options": null,
        });
        map.serialize_entry("invoice_settings", &settings)?;
        map.serialize_entry("livemode", &false)?;
        map.serialize_entry("metadata", &self.metadata)?;
        map.serialize_entry("name", &self.name)?;
        map.serialize_entry("next_invoice_sequence", &1)?;
        map.serialize_entry("phone", &self.phone)?;
        map.serialize_entry("preferred_locales", &json!([]))?;
        map.serialize_entry("tax_exempt", "none")?;
        nulls(&mut map, &NULLS)?;
        map.end()
    }
}
