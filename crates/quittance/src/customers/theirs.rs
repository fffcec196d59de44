//! A customer as Stripe tells it, and the request that makes one of ours of it. Pure: reads and sends nothing.

use quittance_core::currency::Currency;
use quittance_core::pair::{Column, Side};
use quittance_core::record::value::Value;
use serde_json::{Map, Value as Json, json};

/// Longest name, and longest external id, in bytes.
const NAME_BYTES_MAX: usize = 255;

/// Longest e-mail address, in bytes.
const EMAIL_BYTES_MAX: usize = 254;

/// Fields of one customer's own that we keep; Stripe keeps 50, of which four are ours when it is charged.
const METADATA_MAX: usize = 46;

/// Names that we write into the metadata of a gateway's objects ourselves.
const OUR_METADATA: [&str; 4] = ["effect_id", "payment_id", "customer_id", "payment_reference"];

/// A customer at the gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Theirs {
    pub(super) id: String,
    pub(super) name: Option<String>,
    pub(super) email: Option<String>,
    pub(super) currency: Option<String>,
    pub(super) metadata: Map<String, Json>,
    pub(super) default_payment_method: Option<String>,
}

/// What our API is asked, and what of the customer it does not hold.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Request {
    pub(super) body: Json,
    pub(super) left_out: Vec<String>,
}

impl Theirs {
    /// What is read of each customer.
    pub(super) fn side() -> Side {
        let names = ["id", "name", "email", "currency", "metadata", "/invoice_settings/default_payment_method"];
        Side { columns: names.map(Column::plain).into(), identity: vec![0], ..Side::default() }
    }

    /// A row of that side; none where it has no id.
    pub(super) fn of(row: &[Value<'_>]) -> Option<Self> {
        let text = |at: usize| row.get(at).filter(|value| !value.is_nothing()).map(ToString::to_string);
        let metadata = text(4).and_then(|text| serde_json::from_str(&text).ok());
        Some(Self {
            id: text(0).filter(|id| !id.is_empty())?,
            name: text(1),
            email: text(2),
            currency: text(3),
            metadata: metadata.unwrap_or_default(),
            default_payment_method: text(5),
        })
    }

    /// The request that makes it a customer of ours, at a gateway of this name. `external_id` names the field of its metadata
    /// that holds the application's own id.
    pub(super) fn request(&self, gateway: &str, external_id: Option<&str>) -> Request {
        let mut body = Map::new();
        let mut left_out = Vec::new();
        let mut take = |name: &str, value: Option<String>, is_good: &dyn Fn(&str) -> bool| match value {
            Some(text) if is_good(&text) => drop(body.insert(name.to_owned(), text.into())),
            Some(_) => left_out.push(name.to_owned()),
            None => {}
        };
        let own = external_id.and_then(|field| self.metadata.get(field)).and_then(Json::as_str).map(str::to_owned);
        take("external_id", own, &|text| is_line(text, NAME_BYTES_MAX));
        take("name", said(self.name.as_deref()), &|text| is_line(text, NAME_BYTES_MAX));
        take("email", said(self.email.as_deref()), &is_email);
        let currency = said(self.currency.as_deref()).map(|code| code.to_uppercase());
        take("currency", currency, &|code| Currency::from_code(code).is_ok());
        body.insert("gateway_ids".to_owned(), json!({ gateway: self.id }));
        let (metadata, others): (Map<_, _>, Map<_, _>) =
            self.metadata.clone().into_iter().partition(|(name, value)| is_field(name, value));
        let kept: Map<_, _> = metadata.into_iter().take(METADATA_MAX).collect();
        if !others.is_empty() || kept.len() + others.len() < self.metadata.len() {
            left_out.push("metadata".to_owned());
        }
        if !kept.is_empty() {
            body.insert("metadata".to_owned(), kept.into());
        }
        Request { body: body.into(), left_out }
    }

    /// The key under which it is made: the same in every run.
    pub(super) fn key(&self, gateway: &str) -> String {
        format!("import:{gateway}:{}", self.id)
    }
}

/// A text that says something.
fn said(text: Option<&str>) -> Option<String> {
    text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn is_line(text: &str, bytes_max: usize) -> bool {
    (1..=bytes_max).contains(&text.len()) && !text.chars().any(char::is_control)
}

fn is_email(text: &str) -> bool {
    is_line(text, EMAIL_BYTES_MAX) && text.contains('@') && !text.contains(char::is_whitespace)
}

fn is_field(name: &str, value: &Json) -> bool {
    let is_name = is_line(name, 40) && !name.contains(['[', ']']) && !OUR_METADATA.contains(&name);
    is_name && value.as_str().is_some_and(|text| (1..=500).contains(&text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anna() -> Theirs {
        let metadata = json!({ "user_id": "42", "plan": "gold" });
        Theirs {
            id: "cus_1".to_owned(),
            name: Some(" Anna ".to_owned()),
            email: Some("anna@example.com".to_owned()),
            currency: Some("eur".to_owned()),
            metadata: metadata.as_object().cloned().unwrap_or_default(),
            default_payment_method: Some("pm_1".to_owned()),
        }
    }

    #[test]
    fn what_is_good_is_taken() {
        let request = anna().request("stripe", Some("user_id"));
        let body = json!({
            "external_id": "42", "name": "Anna", "email": "anna@example.com", "currency": "EUR",
            "gateway_ids": { "stripe": "cus_1" }, "metadata": { "user_id": "42", "plan": "gold" },
        });
        assert_eq!(request, Request { body, left_out: vec![] });
        assert_eq!(anna().key("stripe"), "import:stripe:cus_1");
        assert_eq!(anna().request("stripe", None).body["external_id"], Json::Null);
    }

    #[test]
    fn what_we_do_not_hold_is_named_and_left_out() {
        let long = "x".repeat(256);
        for (theirs, name) in [
            (Theirs { name: Some(long.clone()), ..anna() }, "name"),
            (Theirs { name: Some("a\u{7}b".to_owned()), ..anna() }, "name"),
            (Theirs { email: Some("anna".to_owned()), ..anna() }, "email"),
            (Theirs { email: Some("an na@example.com".to_owned()), ..anna() }, "email"),
            (Theirs { currency: Some("xyz".to_owned()), ..anna() }, "currency"),
        ] {
            let request = theirs.request("stripe", None);
            assert_eq!((request.left_out.as_slice(), &request.body[name]), (&[name.to_owned()][..], &Json::Null));
        }
        for (field, value) in [("payment_id", "1"), ("a[b]", "1"), ("empty", "")] {
            let mut theirs = anna();
            theirs.metadata.insert(field.to_owned(), value.into());
            let request = theirs.request("stripe", None);
            assert_eq!(request.left_out, ["metadata"]);
            assert_eq!(request.body["metadata"], json!({ "user_id": "42", "plan": "gold" }), "{field}");
        }
        let many: Map<String, Json> = (0..50).map(|number| (format!("f{number}"), "1".into())).collect();
        let request = Theirs { metadata: many, ..anna() }.request("stripe", None);
        assert_eq!(request.body["metadata"].as_object().map(Map::len), Some(METADATA_MAX));
        assert_eq!(request.left_out, ["metadata"]);
    }

    #[test]
    fn a_customer_that_says_nothing_is_one() {
        let theirs = Theirs { id: "cus_2".to_owned(), name: Some("  ".to_owned()), ..Theirs::default() };
        let request = theirs.request("stripe", Some("user_id"));
        assert_eq!(request, Request { body: json!({ "gateway_ids": { "stripe": "cus_2" } }), left_out: vec![] });
        assert_eq!(Theirs::of(&[Value::Null]), None);
    }
}
