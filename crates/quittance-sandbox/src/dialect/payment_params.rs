//! Owns: the parameters of payment intents. Does not own: their states.

use super::currency;
use super::form::Node;
use super::operation::{Expand, expand};
use super::params::{MetadataPatch, Params};
use crate::answer::ApiError;

/// A payment intent to be created.
#[derive(Debug, Clone)]
pub(crate) struct IntentDraft {
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) capture_method: &'static str,
    pub(crate) confirmation_method: &'static str,
    pub(crate) automatic_methods: Option<&'static str>,
    pub(crate) payment_method_types: Vec<String>,
    pub(crate) confirmation: Option<Confirmation>,
    pub(crate) expand: Expand,
    pub(crate) details: IntentPatch,
}

/// What creating and updating share. `Some("")` unsets.
#[derive(Debug, Clone, Default)]
pub(crate) struct IntentPatch {
    pub(crate) amount: Option<i64>,
    pub(crate) currency: Option<String>,
    pub(crate) customer: Option<String>,
    pub(crate) payment_method: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) receipt_email: Option<String>,
    pub(crate) statement_descriptor: Option<String>,
    pub(crate) statement_descriptor_suffix: Option<String>,
    pub(crate) transfer_group: Option<String>,
    pub(crate) setup_future_usage: Option<&'static str>,
    pub(crate) payment_method_options: Option<Node>,
    pub(crate) shipping: Option<Node>,
    pub(crate) metadata: Option<MetadataPatch>,
    pub(crate) expand: Expand,
}

/// What confirming can say.
#[derive(Debug, Clone, Default)]
pub(crate) struct Confirmation {
    pub(crate) payment_method: Option<String>,
    pub(crate) return_url: Option<String>,
    pub(crate) receipt_email: Option<String>,
    pub(crate) off_session: bool,
    pub(crate) error_on_requires_action: bool,
    pub(crate) expand: Expand,
}

const FUTURE_USAGE: [&str; 2] = ["off_session", "on_session"];
const CAPTURE_METHODS: [&str; 3] = ["automatic_async", "automatic", "manual"];
const REASONS: [&str; 4] = ["duplicate", "fraudulent", "requested_by_customer", "abandoned"];

pub(crate) fn draft(params: &mut Params) -> Result<IntentDraft, ApiError> {
    let amount = params.integer("amount")?.ok_or_else(|| ApiError::missing_parameter("amount"))?;
    let currency = params.word("currency")?.ok_or_else(|| ApiError::missing_parameter("currency"))?;
    let currency = currency::check_currency(&currency)?;
    currency::check_amount(amount, &currency)?;
    let types = params.words("payment_method_types")?;
    let confirm = params.boolean("confirm")?.unwrap_or(false);
    let confirmation = confirmation_fields(params)?;
    if !confirm && (confirmation.return_url.is_some() || confirmation.off_session) {
        let message = "You cannot provide `return_url` or `off_session` unless `confirm` is true.";
        return Err(ApiError::bad_request(message));
    }
    let draft = IntentDraft {
        amount,
        currency,
        // API version 2024-04-10 made automatic_async the default.
        capture_method: params.choice("capture_method", &CAPTURE_METHODS)?.unwrap_or("automatic_async"),
        confirmation_method: params.choice("confirmation_method", &["automatic", "manual"])?.unwrap_or("automatic"),
        automatic_methods: automatic_methods(params, types.is_some())?,
        payment_method_types: types.unwrap_or_else(|| vec!["card".to_owned()]),
        expand: confirmation.expand,
        confirmation: confirm.then_some(confirmation),
        details: details(params)?,
    };
    Ok(draft)
}

/// `Some("always" | "never")`: whether methods that redirect are allowed. Since API version
/// 2023-08-16 automatic methods are what one gets without saying anything.
fn automatic_methods(params: &mut Params, has_types: bool) -> Result<Option<&'static str>, ApiError> {
    let Some(node) = params.take("automatic_payment_methods") else {
        return Ok((!has_types).then_some("always"));
    };
    let Node::Branch(children) = node else {
        return Err(ApiError::bad_request("Invalid object").param("automatic_payment_methods"));
    };
    let mut inner = Params::of(children);
    let enabled = inner.boolean("enabled")?;
    let redirects = inner.choice("allow_redirects", &["always", "never"])?.unwrap_or("always");
    inner.finish()?;
    match enabled {
        None => Err(ApiError::missing_parameter("automatic_payment_methods[enabled]")),
        Some(true) if has_types => {
            let message =
                "You may only specify one of these parameters: automatic_payment_methods, payment_method_types.";
            Err(ApiError::bad_request(message))
        }
        Some(true) => Ok(Some(redirects)),
        Some(false) => Ok(None),
    }
}

pub(crate) fn patch(params: &mut Params) -> Result<IntentPatch, ApiError> {
    let amount = params.integer("amount")?;
    let currency = params.word("currency")?;
    let mut patch = details(params)?;
    patch.amount = amount;
    patch.currency = currency.as_deref().map(currency::check_currency).transpose()?;
    patch.expand = expand(params, "latest_charge")?;
    Ok(patch)
}

fn details(params: &mut Params) -> Result<IntentPatch, ApiError> {
    Ok(IntentPatch {
        customer: params.word("customer")?,
        payment_method: params.text("payment_method")?,
        description: params.text("description")?,
        receipt_email: params.text("receipt_email")?,
        statement_descriptor: descriptor(params, "statement_descriptor")?,
        statement_descriptor_suffix: descriptor(params, "statement_descriptor_suffix")?,
        transfer_group: params.text("transfer_group")?,
        setup_future_usage: params.choice("setup_future_usage", &FUTURE_USAGE)?,
        payment_method_options: params.take("payment_method_options"),
        shipping: params.take("shipping"),
        metadata: params.metadata()?,
        ..IntentPatch::default()
    })
}

fn descriptor(params: &mut Params, name: &str) -> Result<Option<String>, ApiError> {
    let text = params.text(name)?;
    // Stripe, "Statement descriptors": at most 22 characters.
    if text.as_ref().is_some_and(|text| text.chars().count() > 22) {
        let message = "The statement descriptor must be at most 22 characters.";
        return Err(ApiError::bad_request(message).param(name));
    }
    Ok(text)
}

pub(crate) fn confirmation(params: &mut Params) -> Result<Confirmation, ApiError> {
    // Accepted and without a meaning here.
    params.ignore(&["use_stripe_sdk", "client_secret", "payment_method_types", "capture_method"]);
    params.ignore(&["payment_method_options", "shipping", "setup_future_usage", "mandate_data"]);
    let mut confirmation = confirmation_fields(params)?;
    confirmation.payment_method = params.word("payment_method")?;
    confirmation.receipt_email = params.text("receipt_email")?;
    Ok(confirmation)
}

fn confirmation_fields(params: &mut Params) -> Result<Confirmation, ApiError> {
    params.ignore(&["mandate", "mandate_data", "radar_options", "use_stripe_sdk"]);
    Ok(Confirmation {
        return_url: params.word("return_url")?,
        off_session: params.boolean("off_session")?.unwrap_or(false),
        error_on_requires_action: params.boolean("error_on_requires_action")?.unwrap_or(false),
        expand: expand(params, "latest_charge")?,
        ..Confirmation::default()
    })
}

pub(crate) fn reason(params: &mut Params) -> Result<Option<&'static str>, ApiError> {
    params.choice("cancellation_reason", &REASONS)
}

pub(crate) fn capture(params: &mut Params) -> Result<Option<i64>, ApiError> {
    params.ignore(&["statement_descriptor", "statement_descriptor_suffix", "metadata"]);
    params.integer("amount_to_capture")
}
