//! Owns: the members and JSON of invoices and their lines. Does not own: their transitions (`execution::invoices`).

use std::collections::BTreeMap;

use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{NESTED_ROWS_MAX, Page, Period, nulls};

/// The states of Stripe's machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum InvoiceStatus {
    Draft,
    Open,
    Paid,
    Uncollectible,
    Void,
}

impl InvoiceStatus {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Open => "open",
            Self::Paid => "paid",
            Self::Uncollectible => "uncollectible",
            Self::Void => "void",
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Invoice {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) customer: String,
    pub(crate) customer_email: Option<String>,
    pub(crate) customer_name: Option<String>,
    pub(crate) subscription: Option<String>,
    pub(crate) status: InvoiceStatus,
    pub(crate) billing_reason: &'static str,
    pub(crate) currency: String,
    pub(crate) description: Option<String>,
    /// Set when it is no longer a draft.
    pub(crate) number: Option<String>,
    pub(crate) auto_advance: bool,
    /// `None`: it is charged automatically.
    pub(crate) due_date: Option<i64>,
    pub(crate) lines: Vec<Line>,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) period: Period,
    pub(crate) history: History,
}

/// When an invoice came into each state.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct History {
    pub(crate) finalized_at: Option<i64>,
    pub(crate) marked_uncollectible_at: Option<i64>,
    pub(crate) paid_at: Option<i64>,
    pub(crate) voided_at: Option<i64>,
}

#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) id: String,
    /// Minor units of the invoice's currency; negative is a credit.
    pub(crate) amount: i64,
    pub(crate) description: Option<String>,
    pub(crate) quantity: u32,
    /// The price, and its product.
    pub(crate) price: Option<(String, String)>,
    pub(crate) subscription_item: Option<String>,
    pub(crate) period: Period,
    pub(crate) metadata: BTreeMap<String, String>,
}

/// A line with what it takes over from its invoice.
#[derive(Debug)]
pub(crate) struct LineView<'a> {
    pub(crate) invoice: &'a Invoice,
    pub(crate) line: &'a Line,
}

impl Invoice {
    pub(crate) fn enter(&mut self, status: InvoiceStatus, at: i64) {
        self.status = status;
        match status {
            InvoiceStatus::Draft => {}
            InvoiceStatus::Open => self.history.finalized_at = Some(at),
            InvoiceStatus::Paid => self.history.paid_at = Some(at),
            InvoiceStatus::Uncollectible => self.history.marked_uncollectible_at = Some(at),
            InvoiceStatus::Void => self.history.voided_at = Some(at),
        }
    }

    pub(crate) fn total(&self) -> i64 {
        self.lines.iter().fold(0, |sum, line| sum.saturating_add(line.amount))
    }

    /// What is to be paid: a credit is not paid back.
    pub(crate) fn amount_due(&self) -> i64 {
        self.total().max(0)
    }

    pub(crate) fn lines_url(&self) -> String {
        format!("/v1/invoices/{}/lines", self.id)
    }

    fn parent(&self) -> serde_json::Value {
        match &self.subscription {
            None => json!(null),
            // Since API version 2025-03-31 the subscription stands here and nowhere else.
            Some(subscription) => json!({
                "quote_details": null, "type": "subscription_details",
                "subscription_details": {"metadata": {}, "subscription": subscription},
            }),
        }
    }

    fn sums<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let (total, due) = (self.total(), self.amount_due());
        let paid = if self.status == InvoiceStatus::Paid { due } else { 0 };
        map.serialize_entry("amount_due", &due)?;
        map.serialize_entry("amount_overpaid", &0)?;
        map.serialize_entry("amount_paid", &paid)?;
        map.serialize_entry("amount_remaining", &(due - paid))?;
        map.serialize_entry("amount_shipping", &0)?;
        map.serialize_entry("ending_balance", &(self.status != InvoiceStatus::Draft).then_some(0))?;
        map.serialize_entry("post_payment_credit_notes_amount", &0)?;
        map.serialize_entry("pre_payment_credit_notes_amount", &0)?;
        map.serialize_entry("starting_balance", &0)?;
        for sum in ["subtotal", "subtotal_excluding_tax", "total", "total_excluding_tax"] {
            map.serialize_entry(sum, &total)?;
        }
        for empty in ["total_discount_amounts", "total_pretax_credit_amounts", "total_taxes"] {
            map.serialize_entry(empty, &json!([]))?;
        }
        Ok(())
    }
}

const NULLS: [&str; 26] = [
    "account_name",
    "account_tax_ids",
    "application",
    "automatically_finalizes_at",
    "custom_fields",
    "customer_account",
    "customer_address",
    "customer_phone",
    "customer_shipping",
    "default_payment_method",
    "default_source",
    "footer",
    "from_invoice",
    "hosted_invoice_url",
    "invoice_pdf",
    "last_finalization_error",
    "latest_revision",
    "next_payment_attempt",
    "on_behalf_of",
    "receipt_number",
    "rendering",
    "shipping_cost",
    "shipping_details",
    "statement_descriptor",
    "test_clock",
    "webhooks_delivered_at",
];

impl Serialize for Invoice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let lines = self.lines.iter().take(NESTED_ROWS_MAX).map(|line| LineView { invoice: self, line });
        let lines: Vec<LineView<'_>> = lines.collect();
        let has_more = self.lines.len() > lines.len();
        let collection_method = if self.due_date.is_some() { "send_invoice" } else { "charge_automatically" };
        let is_paid = self.status == InvoiceStatus::Paid;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &self.id)?;
        map.serialize_entry("object", "invoice")?;
        map.serialize_entry("account_country", "US")?;
        self.sums(&mut map)?;
        map.serialize_entry("attempt_count", &u8::from(is_paid))?;
        map.serialize_entry("attempted", &is_paid)?;
        map.serialize_entry("auto_advance", &self.auto_advance)?;
        let tax =
            json!({"disabled_reason": null, "enabled": false, "liability": null, "provider": null, "status": null});
        map.serialize_entry("automatic_tax", &tax)?;
        map.serialize_entry("billing_reason", self.billing_reason)?;
        map.serialize_entry("collection_method", collection_method)?;
        map.serialize_entry("created", &self.created)?;
        map.serialize_entry("currency", &self.currency)?;
        map.serialize_entry("customer", &self.customer)?;
        map.serialize_entry("customer_email", &self.customer_email)?;
        map.serialize_entry("customer_name", &self.customer_name)?;
        map.serialize_entry("customer_tax_exempt", "none")?;
        map.serialize_entry("customer_tax_ids", &json!([]))?;
        map.serialize_entry("default_tax_rates", &json!([]))?;
        map.serialize_entry("description", &self.description)?;
        map.serialize_entry("discounts", &json!([]))?;
        map.serialize_entry("due_date", &self.due_date)?;
        map.serialize_entry("effective_at", &self.history.finalized_at)?;
        map.serialize_entry("issuer", &json!({"type": "self"}))?;
        map.serialize_entry("lines", &Page { object: "list", data: lines, has_more, url: self.lines_url() })?;
        map.serialize_entry("livemode", &false)?;
        map.serialize_entry("metadata", &self.metadata)?;
        map.serialize_entry("number", &self.number)?;
        map.serialize_entry("parent", &self.parent())?;
        let settings = json!({"default_mandate": null, "payment_method_options": null, "payment_method_types": null});
        map.serialize_entry("payment_settings", &settings)?;
        map.serialize_entry("period_end", &self.period.end)?;
        map.serialize_entry("period_start", &self.period.start)?;
        map.serialize_entry("status", &self.status)?;
        map.serialize_entry("status_transitions", &self.history)?;
        nulls(&mut map, &NULLS)?;
        map.end()
    }
}

impl Serialize for LineView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (invoice, line) = (self.invoice, self.line);
        let parent = line.subscription_item.as_ref().map(|item| {
            json!({
                "invoice_item_details": null, "type": "subscription_item_details",
                "subscription_item_details": {
                    "invoice_item": null, "proration": false, "proration_details": {"credited_items": null},
                    "subscription": invoice.subscription, "subscription_item": item,
                },
            })
        });
        let pricing = line.price.as_ref().map(|(price, product)| {
            let unit = line.amount / i64::from(line.quantity.max(1));
            json!({
                "price_details": {"price": price, "product": product}, "type": "price_details",
                "unit_amount_decimal": unit.to_string(),
            })
        });
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &line.id)?;
        map.serialize_entry("object", "line_item")?;
        map.serialize_entry("amount", &line.amount)?;
        map.serialize_entry("currency", &invoice.currency)?;
        map.serialize_entry("description", &line.description)?;
        map.serialize_entry("discount_amounts", &json!([]))?;
        map.serialize_entry("discountable", &true)?;
        map.serialize_entry("discounts", &json!([]))?;
        map.serialize_entry("invoice", &invoice.id)?;
        map.serialize_entry("livemode", &false)?;
        map.serialize_entry("metadata", &line.metadata)?;
        map.serialize_entry("parent", &parent)?;
        map.serialize_entry("period", &line.period)?;
        map.serialize_entry("pretax_credit_amounts", &json!([]))?;
        map.serialize_entry("pricing", &pricing)?;
        map.serialize_entry("quantity", &line.quantity)?;
        map.serialize_entry("quantity_decimal", &line.quantity.to_string())?;
        map.serialize_entry("subscription", &invoice.subscription)?;
        map.serialize_entry("subtotal", &line.amount)?;
        map.serialize_entry("taxes", &json!([]))?;
        map.end()
    }
}
