//! What each object of the ledger has, under the names of the API: `id`, `status`, `amount`, `currency`, `customer`,
//! `gateway`, `gateway_id`, `reference`, `created_at` and so on. Amounts are numbers in minor units, times are moments,
//! `metadata`, `gateway_ids`, `decline` and `next_action` are JSON. `/metadata/plan` leads into one of these.

use crate::systems::{SystemError, names};
use quittance_connectors::record::{value_at, value_of};
use quittance_core::brake::Limit;
use quittance_core::currency::Currency;
use quittance_core::customer::Customer;
use quittance_core::dispute::Dispute;
use quittance_core::pair::Side;
use quittance_core::payment::Payment;
use quittance_core::record::value::{Type, Value};
use quittance_core::refund::Refund;
use quittance_core::time::Timestamp;
use quittance_store::records::Entity;
use serde::Serialize;
use std::fmt::Display;

/// A record of the ledger with named fields.
pub trait Fields: Entity + 'static {
    /// Every field, in the order of the API.
    const FIELDS: &'static [Field<Self>];
}

/// One field.
pub struct Field<T> {
    /// Its name in the API.
    pub name: &'static str,
    /// The type of its values.
    pub declared: Type,
    value: for<'a> fn(&'a T) -> Value<'a>,
}

const fn field<T>(name: &'static str, declared: Type, value: for<'a> fn(&'a T) -> Value<'a>) -> Field<T> {
    Field { name, declared, value }
}

fn id(id: impl Display) -> Value<'static> {
    Value::Text(id.to_string().into())
}

fn text(text: Option<&str>) -> Value<'_> {
    text.map_or(Value::Null, Value::text)
}

fn time(at: Timestamp) -> Value<'static> {
    Value::Timestamp(at)
}

fn json(value: &impl Serialize) -> Value<'static> {
    serde_json::to_value(value).map_or(Value::Null, |document| value_of(&document))
}

fn decline(payment: &Payment) -> Value<'static> {
    payment.decline.as_ref().map_or(Value::Null, |decline| {
        json(&serde_json::json!({ "code": decline.code, "retryable": decline.is_retryable }))
    })
}

fn next_action(payment: &Payment) -> Value<'_> {
    let document = payment.next_action.as_deref().and_then(|text| serde_json::from_str(text).ok());
    document.map_or(Value::Null, |document: serde_json::Value| value_of(&document))
}

impl Fields for Payment {
    const FIELDS: &'static [Field<Self>] = &[
        field("id", Type::Text, |it| id(it.id)),
        field("status", Type::Text, |it| Value::text(it.status.name())),
        field("amount", Type::Number, |it| Value::integer(it.money.amount)),
        field("currency", Type::Text, |it| Value::text(it.money.currency.code())),
        field("customer", Type::Text, |it| id(it.book)),
        field("gateway", Type::Text, |it| Value::text(&it.gateway)),
        field("gateway_id", Type::Text, |it| text(it.gateway_object.as_deref())),
        field("reference", Type::Text, |it| Value::text(&it.reference)),
        field("captured_amount", Type::Number, |it| Value::integer(it.captured_amount)),
        field("refunded_amount", Type::Number, |it| Value::integer(it.refunded_amount)),
        field("refunding_amount", Type::Number, |it| Value::integer(it.refunding_amount)),
        field("disputed_amount", Type::Number, |it| Value::integer(it.disputed_amount)),
        field("returned_amount", Type::Number, |it| Value::integer(it.returned_amount)),
        field("capture_method", Type::Text, |it| Value::text(it.capture_method.name())),
        field("return_url", Type::Text, |it| text(it.return_url.as_deref())),
        field("payment_method", Type::Text, |it| Value::text(&it.payment_method)),
        field("next_action", Type::Json, next_action),
        field("parked_by", Type::Text, |it| text(it.parked_by.map(Limit::name))),
        field("decline", Type::Json, decline),
        field("description", Type::Text, |it| text(it.description.as_deref())),
        field("metadata", Type::Json, |it| json(&it.metadata)),
        field("command_id", Type::Text, |it| id(it.command)),
        field("created_at", Type::Timestamp, |it| time(it.created_at)),
    ];
}

impl Fields for Refund {
    const FIELDS: &'static [Field<Self>] = &[
        field("id", Type::Text, |it| id(it.id)),
        field("status", Type::Text, |it| Value::text(it.status.name())),
        field("amount", Type::Number, |it| Value::integer(it.money.amount)),
        field("currency", Type::Text, |it| Value::text(it.money.currency.code())),
        field("payment", Type::Text, |it| id(it.payment)),
        field("customer", Type::Text, |it| id(it.book)),
        field("gateway", Type::Text, |it| Value::text(&it.gateway)),
        field("gateway_id", Type::Text, |it| text(it.gateway_object.as_deref())),
        field("reference", Type::Text, |it| text(it.reference.as_deref())),
        field("reason", Type::Text, |it| text(it.reason.as_deref())),
        field("failure_code", Type::Text, |it| text(it.failure_code.as_deref())),
        field("parked_by", Type::Text, |it| text(it.parked_by.map(Limit::name))),
        field("command_id", Type::Text, |it| id(it.command)),
        field("created_at", Type::Timestamp, |it| time(it.created_at)),
    ];
}

impl Fields for Dispute {
    const FIELDS: &'static [Field<Self>] = &[
        field("id", Type::Text, |it| id(it.id)),
        field("status", Type::Text, |it| Value::text(it.status.name())),
        field("amount", Type::Number, |it| Value::integer(it.money.amount)),
        field("currency", Type::Text, |it| Value::text(it.money.currency.code())),
        field("payment", Type::Text, |it| id(it.payment)),
        field("customer", Type::Text, |it| id(it.book)),
        field("gateway", Type::Text, |it| Value::text(&it.gateway)),
        field("gateway_id", Type::Text, |it| Value::text(&it.object_id)),
        field("reason", Type::Text, |it| Value::text(&it.reason)),
        field("evidence_due_by", Type::Timestamp, |it| it.evidence_due_by.map_or(Value::Null, time)),
        field("takes_evidence", Type::Boolean, |it| Value::Boolean(it.status.takes_evidence())),
        field("submissions", Type::Number, |it| Value::integer(it.submissions.into())),
        field("withdrawn_amount", Type::Number, |it| Value::integer(it.withdrawn_amount)),
        field("written_off", Type::Boolean, |it| Value::Boolean(it.is_written_off)),
        field("created_at", Type::Timestamp, |it| time(it.created_at)),
    ];
}

impl Fields for Customer {
    const FIELDS: &'static [Field<Self>] = &[
        field("id", Type::Text, |it| id(it.id)),
        field("external_id", Type::Text, |it| text(it.external_id.as_deref())),
        field("name", Type::Text, |it| text(it.name.as_deref())),
        field("email", Type::Text, |it| text(it.email.as_deref())),
        field("currency", Type::Text, |it| text(it.currency.map(Currency::code))),
        field("timezone", Type::Text, |it| text(it.timezone.as_deref())),
        field("gateway_ids", Type::Json, |it| json(&it.gateway_ids)),
        field("metadata", Type::Json, |it| json(&it.metadata)),
        field("created_at", Type::Timestamp, |it| time(it.created_at)),
    ];
}

/// A field that is read, and where in it.
pub(super) struct Column<T: 'static> {
    pub(super) field: &'static Field<T>,
    pub(super) pointer: String,
}

impl<T> Column<T> {
    pub(super) fn value<'a>(&self, record: &'a T) -> Value<'a> {
        let value = (self.field.value)(record);
        match &value {
            Value::Json(text) if !self.pointer.is_empty() => {
                serde_json::from_str(text).map_or(Value::Absent, |document| value_at(&document, &self.pointer))
            }
            _ if self.pointer.is_empty() || value.is_nothing() => value,
            _ => Value::Absent,
        }
    }
}

/// The fields that a side reads.
pub(super) fn columns<T: Fields>(system: &str, side: &Side) -> Result<Vec<Column<T>>, SystemError> {
    let column = |column: &quittance_core::pair::Column| {
        let name = column.name.strip_prefix('/').unwrap_or(&column.name);
        let (name, inside) =
            name.split_once('/').map_or((name, String::new()), |(name, rest)| (name, format!("/{rest}")));
        let field = T::FIELDS.iter().find(|field| field.name == name);
        let pointer = inside + column.pointer.as_deref().unwrap_or_default();
        field.map(|field| Column { field, pointer }).ok_or_else(|| {
            let known: Vec<&str> = T::FIELDS.iter().map(|field| field.name).collect();
            names::no_column(system, T::table().name, name, &known)
        })
    };
    side.columns.iter().map(column).collect()
}
