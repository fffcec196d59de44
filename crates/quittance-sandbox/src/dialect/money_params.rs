//! Owns: the parameters of refunds, payouts, disputes and the older charges. Does not own: their states.

use std::collections::BTreeMap;

use super::currency;
use super::form::Node;
use super::params::{MetadataPatch, Params};
use crate::answer::ApiError;
use crate::objects::EVIDENCE;

/// A refund to be made, of whatever the charge or the payment intent took.
#[derive(Debug, Clone)]
pub(crate) struct RefundDraft {
    pub(crate) target: RefundTarget,
    /// `None`: all that is left.
    pub(crate) amount: Option<i64>,
    pub(crate) reason: Option<&'static str>,
    pub(crate) metadata: Option<MetadataPatch>,
}

/// How a refund names its charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RefundTarget {
    Charge(String),
    Intent(String),
}

/// A payout to be made by hand.
#[derive(Debug, Clone)]
pub(crate) struct PayoutDraft {
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) description: Option<String>,
    pub(crate) statement_descriptor: Option<String>,
    pub(crate) metadata: Option<MetadataPatch>,
}

/// A charge without a payment intent.
#[derive(Debug, Clone)]
pub(crate) struct ChargeDraft {
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) source: Option<String>,
    pub(crate) customer: Option<String>,
    pub(crate) captures: bool,
    pub(crate) description: Option<String>,
    pub(crate) receipt_email: Option<String>,
    pub(crate) statement_descriptor: Option<String>,
    pub(crate) metadata: Option<MetadataPatch>,
}

/// What the merchant says in a dispute.
#[derive(Debug, Clone)]
pub(crate) struct EvidencePatch {
    /// An empty text takes the evidence back.
    pub(crate) evidence: BTreeMap<String, String>,
    /// `None`: new evidence is submitted, nothing else is.
    pub(crate) submits: Option<bool>,
    pub(crate) metadata: Option<MetadataPatch>,
}

const REFUND_REASONS: [&str; 3] = ["duplicate", "fraudulent", "requested_by_customer"];

pub(crate) fn refund(params: &mut Params) -> Result<RefundDraft, ApiError> {
    params.ignore(&["reverse_transfer", "refund_application_fee", "instructions_email"]);
    let target = match (params.word("charge")?, params.word("payment_intent")?) {
        (Some(charge), None) => RefundTarget::Charge(charge),
        (None, Some(intent)) => RefundTarget::Intent(intent),
        (Some(_), Some(_)) => {
            let message = "You may only specify one of these parameters: charge, payment_intent.";
            return Err(ApiError::bad_request(message));
        }
        (None, None) => {
            let message = "One of the following params should be provided for this request: payment_intent or charge.";
            return Err(ApiError::bad_request(message));
        }
    };
    Ok(RefundDraft {
        target,
        amount: positive(params, "amount")?,
        reason: params.choice("reason", &REFUND_REASONS)?,
        metadata: params.metadata()?,
    })
}

pub(crate) fn payout(params: &mut Params) -> Result<PayoutDraft, ApiError> {
    params.ignore(&["method", "destination", "source_type"]);
    let amount = positive(params, "amount")?.ok_or_else(|| ApiError::missing_parameter("amount"))?;
    let currency = params.word("currency")?.ok_or_else(|| ApiError::missing_parameter("currency"))?;
    Ok(PayoutDraft {
        amount,
        currency: currency::check_currency(&currency)?,
        description: params.text("description")?,
        statement_descriptor: params.text("statement_descriptor")?,
        metadata: params.metadata()?,
    })
}

pub(crate) fn charge(params: &mut Params) -> Result<ChargeDraft, ApiError> {
    params.ignore(&["shipping", "statement_descriptor_suffix", "transfer_group", "radar_options"]);
    let amount = params.integer("amount")?.ok_or_else(|| ApiError::missing_parameter("amount"))?;
    let currency = params.word("currency")?.ok_or_else(|| ApiError::missing_parameter("currency"))?;
    let currency = currency::check_currency(&currency)?;
    currency::check_amount(amount, &currency)?;
    let (source, customer) = (params.word("source")?, params.word("customer")?);
    if source.is_none() && customer.is_none() {
        return Err(ApiError::bad_request("Must provide source or customer."));
    }
    Ok(ChargeDraft {
        amount,
        currency,
        source,
        customer,
        captures: params.boolean("capture")?.unwrap_or(true),
        description: params.text("description")?,
        receipt_email: params.text("receipt_email")?,
        statement_descriptor: params.text("statement_descriptor")?,
        metadata: params.metadata()?,
    })
}

pub(crate) fn charge_capture(params: &mut Params) -> Result<Option<i64>, ApiError> {
    params.ignore(&["receipt_email", "statement_descriptor", "statement_descriptor_suffix", "transfer_group"]);
    positive(params, "amount")
}

pub(crate) fn evidence(params: &mut Params) -> Result<EvidencePatch, ApiError> {
    let children = match params.take("evidence") {
        None => Vec::new(),
        Some(Node::Branch(children)) => children,
        Some(Node::Leaf(_)) => return Err(ApiError::bad_request("Invalid object").param("evidence")),
    };
    let mut inner = Params::of(children);
    let mut evidence = BTreeMap::new();
    for name in EVIDENCE {
        if let Some(text) = inner.text(name)? {
            evidence.insert(name.to_owned(), text);
        }
    }
    inner.finish()?;
    Ok(EvidencePatch { evidence, submits: params.boolean("submit")?, metadata: params.metadata()? })
}

fn positive(params: &mut Params, name: &str) -> Result<Option<i64>, ApiError> {
    let amount = params.integer(name)?;
    if amount.is_some_and(|amount| amount < 1) {
        let message = "This value must be greater than or equal to 1.";
        return Err(ApiError::invalid("parameter_invalid_integer", message).param(name));
    }
    Ok(amount)
}
