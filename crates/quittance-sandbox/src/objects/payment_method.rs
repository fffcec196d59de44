//! Owns: the payment method's members and JSON. Does not own: what charging it does
//! (`dialect::card`).

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::json;

use crate::dialect::card::TestMethod;

#[derive(Debug, Clone)]
pub(crate) struct PaymentMethod {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) customer: Option<String>,
    pub(crate) test: TestMethod,
}

impl PaymentMethod {
    fn details(&self) -> serde_json::Value {
        let brand = self.test.brand;
        if self.test.kind() == "us_bank_account" {
            return json!({
                "account_holder_type": "individual", "account_type": "checking",
                "bank_name": "STRIPE TEST BANK", "last4": brand.last4, "routing_number": "110000000",
            });
        }
        json!({
            "brand": brand.name,
            "checks": {"address_line1_check": null, "address_postal_code_check": null, "cvc_check": "pass"},
            "country": "US", "display_brand": brand.name, "exp_month": 12, "exp_year": 2034,
            "funding": brand.funding, "generated_from": null, "last4": brand.last4,
            "networks": {"available": [brand.name], "preferred": null},
            "three_d_secure_usage": {"supported": true}, "wallet": null,
        })
    }
}

pub(super) fn billing_details() -> serde_json::Value {
    json!({
        "address": {"city": null, "country": null, "line1": null, "line2": null, "postal_code": null, "state": null},
        "email": null, "name": null, "phone": null, "tax_id": null,
    })
}

impl Serialize for PaymentMethod {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &self.id)?;
        map.serialize_entry("object", "payment_method")?;
        map.serialize_entry("allow_redisplay", "unspecified")?;
        map.serialize_entry("billing_details", &billing_details())?;
        map.serialize_entry(self.test.kind(), &self.details())?;
        map.serialize_entry("created", &self.created)?;
        map.serialize_entry("customer", &self.customer)?;
        map.serialize_entry("livemode", &false)?;
        map.serialize_entry("metadata", &json!({}))?;
        map.serialize_entry("type", self.test.kind())?;
        map.end()
    }
}
