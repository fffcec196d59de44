//! Owns: the parameters of invoices. Does not own: their states.

use super::subscription_params::{Due, due};
use crate::answer::ApiError;
use crate::dialect::currency;
use crate::dialect::params::{MetadataPatch, Params};

/// An invoice to be created. With a subscription it has a line for each of its items, else none.
#[derive(Debug, Clone)]
pub(crate) struct InvoiceDraft {
    pub(crate) customer: Option<String>,
    pub(crate) subscription: Option<String>,
    pub(crate) currency: Option<String>,
    pub(crate) due: Option<Due>,
    pub(crate) patch: InvoicePatch,
}

/// What creating and updating share. `Some("")` unsets.
#[derive(Debug, Clone)]
pub(crate) struct InvoicePatch {
    pub(crate) description: Option<String>,
    pub(crate) auto_advance: Option<bool>,
    pub(crate) metadata: Option<MetadataPatch>,
}

/// A line to be added, by its amount or by a price.
#[derive(Debug, Clone)]
pub(crate) struct LineDraft {
    pub(crate) amount: Option<i64>,
    pub(crate) price: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) quantity: u32,
    pub(crate) metadata: Option<MetadataPatch>,
}

pub(super) fn draft(params: &mut Params) -> Result<InvoiceDraft, ApiError> {
    params.ignore(&["pending_invoice_items_behavior", "default_payment_method"]);
    let (customer, subscription) = (params.word("customer")?, params.word("subscription")?);
    if customer.is_none() && subscription.is_none() {
        return Err(ApiError::missing_parameter("customer"));
    }
    let currency = params.word("currency")?;
    Ok(InvoiceDraft {
        customer,
        subscription,
        currency: currency.as_deref().map(currency::check_currency).transpose()?,
        due: due(params)?,
        patch: patch(params)?,
    })
}

pub(super) fn patch(params: &mut Params) -> Result<InvoicePatch, ApiError> {
    params.ignore(&["footer", "payment_settings", "statement_descriptor"]);
    Ok(InvoicePatch {
        description: params.text("description")?,
        auto_advance: params.boolean("auto_advance")?,
        metadata: params.metadata()?,
    })
}

pub(super) fn lines(params: &mut Params) -> Result<Vec<LineDraft>, ApiError> {
    let lines = params.objects("lines")?.ok_or_else(|| ApiError::missing_parameter("lines"))?;
    lines.into_iter().map(line).collect()
}

fn line(mut params: Params) -> Result<LineDraft, ApiError> {
    let mut pricing = params.object("pricing")?.unwrap_or(Params::of(Vec::new()));
    let line = LineDraft {
        amount: params.integer("amount")?,
        price: pricing.word("price")?,
        description: params.text("description")?,
        quantity: params.quantity()?.unwrap_or(1),
        metadata: params.metadata()?,
    };
    pricing.finish()?;
    params.finish()?;
    if line.amount.is_some() == line.price.is_some() {
        return Err(ApiError::bad_request("A line has either an `amount` or a `pricing[price]`.").param("lines"));
    }
    Ok(line)
}
