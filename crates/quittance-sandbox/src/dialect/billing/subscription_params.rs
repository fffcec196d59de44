//! Owns: the parameters of subscriptions. Does not own: their states.

use crate::answer::ApiError;
use crate::dialect::Node;
use crate::dialect::params::{MetadataPatch, Params};
use crate::objects::PauseBehavior;

/// A subscription to be created.
#[derive(Debug, Clone)]
pub(crate) struct SubscriptionDraft {
    pub(crate) customer: String,
    /// The first payment is left to the client: until then the subscription is incomplete.
    pub(crate) awaits_payment: bool,
    pub(crate) trial_days: Option<i64>,
    pub(crate) patch: SubscriptionPatch,
}

/// What creating and updating share. `Some("")` unsets.
#[derive(Debug, Clone)]
pub(crate) struct SubscriptionPatch {
    pub(crate) items: Vec<ItemPatch>,
    pub(crate) cancel_at_period_end: Option<bool>,
    pub(crate) default_payment_method: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) due: Option<Due>,
    /// `Some(None)`: payments go on.
    pub(crate) pause: Option<Option<PauseBehavior>>,
    /// The end of the trial; `now` is 0.
    pub(crate) trial_end: Option<i64>,
    pub(crate) metadata: Option<MetadataPatch>,
}

/// How a subscription or an invoice is collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    Automatically,
    Days(i64),
}

/// One item: a new one, or a change of the one with this id.
#[derive(Debug, Clone)]
pub(crate) struct ItemPatch {
    pub(crate) id: Option<String>,
    pub(crate) price: Option<String>,
    pub(crate) quantity: Option<u32>,
    pub(crate) is_deleted: bool,
    pub(crate) metadata: Option<MetadataPatch>,
}

// Stripe, API reference: "A list of up to 20 subscription items".
const ITEMS_MAX: usize = 20;
const PAUSES: [(&str, PauseBehavior); 3] = [
    ("keep_as_draft", PauseBehavior::KeepAsDraft),
    ("mark_uncollectible", PauseBehavior::MarkUncollectible),
    ("void", PauseBehavior::Void),
];

pub(super) fn draft(params: &mut Params) -> Result<SubscriptionDraft, ApiError> {
    let customer = params.word("customer")?.ok_or_else(|| ApiError::missing_parameter("customer"))?;
    let behaviors = ["allow_incomplete", "default_incomplete", "error_if_incomplete", "pending_if_incomplete"];
    let behavior = params.choice("payment_behavior", &behaviors)?;
    let trial_days = params.integer("trial_period_days")?;
    params.ignore(&["currency"]);
    let patch = patch(params)?;
    if patch.items.is_empty() {
        return Err(ApiError::missing_parameter("items"));
    }
    Ok(SubscriptionDraft { customer, awaits_payment: behavior == Some("default_incomplete"), trial_days, patch })
}

pub(super) fn patch(params: &mut Params) -> Result<SubscriptionPatch, ApiError> {
    // Accepted and without a meaning here: no money moves.
    params.ignore(&["off_session", "payment_behavior", "payment_settings", "proration_behavior", "proration_date"]);
    params.ignore(&["billing_cycle_anchor", "billing_mode", "cancellation_details", "trial_settings"]);
    let items = params.objects("items")?.unwrap_or_default();
    if items.len() > ITEMS_MAX {
        let message = format!("A subscription has at most {ITEMS_MAX} items.");
        return Err(ApiError::bad_request(message).param("items"));
    }
    Ok(SubscriptionPatch {
        items: items.into_iter().map(item).collect::<Result<_, _>>()?,
        cancel_at_period_end: params.boolean("cancel_at_period_end")?,
        default_payment_method: params.text("default_payment_method")?,
        description: params.text("description")?,
        due: due(params)?,
        pause: pause(params)?,
        trial_end: trial_end(params)?,
        metadata: params.metadata()?,
    })
}

fn item(mut params: Params) -> Result<ItemPatch, ApiError> {
    params.ignore(&["clear_usage"]);
    let item = ItemPatch {
        id: params.word("id")?,
        price: params.word("price")?,
        quantity: params.quantity()?,
        is_deleted: params.boolean("deleted")?.unwrap_or(false),
        metadata: params.metadata()?,
    };
    params.finish()?;
    if item.id.is_none() && item.price.is_none() {
        return Err(ApiError::missing_parameter("items[0][price]"));
    }
    Ok(item)
}

pub(super) fn due(params: &mut Params) -> Result<Option<Due>, ApiError> {
    let method = params.choice("collection_method", &["charge_automatically", "send_invoice"])?;
    match (method, params.integer("days_until_due")?) {
        (None, None) => Ok(None),
        (Some("charge_automatically"), None) => Ok(Some(Due::Automatically)),
        (None | Some("send_invoice"), Some(days)) if (0..=3_650).contains(&days) => Ok(Some(Due::Days(days))),
        (Some("send_invoice"), None) => Err(ApiError::missing_parameter("days_until_due")),
        _ => {
            let message = "`days_until_due` is between 0 and 3650, and only for `collection_method` `send_invoice`.";
            Err(ApiError::bad_request(message).param("days_until_due"))
        }
    }
}

fn pause(params: &mut Params) -> Result<Option<Option<PauseBehavior>>, ApiError> {
    let mut inner = match params.take("pause_collection") {
        None => return Ok(None),
        Some(Node::Leaf(value)) if value.is_empty() => return Ok(Some(None)),
        Some(Node::Leaf(_)) => return Err(ApiError::bad_request("Invalid object").param("pause_collection")),
        Some(Node::Branch(children)) => Params::of(children),
    };
    inner.ignore(&["resumes_at"]);
    let name = inner.choice("behavior", &PAUSES.map(|(name, _)| name))?;
    inner.finish()?;
    let behavior = PAUSES.iter().find(|(known, _)| Some(*known) == name).map(|(_, behavior)| *behavior);
    behavior
        .map(|behavior| Some(Some(behavior)))
        .ok_or_else(|| ApiError::missing_parameter("pause_collection[behavior]"))
}

fn trial_end(params: &mut Params) -> Result<Option<i64>, ApiError> {
    match params.word("trial_end")?.as_deref() {
        None => Ok(None),
        Some("now") => Ok(Some(0)),
        Some(word) => {
            let second = word.parse().map(Some);
            second.map_err(|_| ApiError::bad_request(format!("Invalid timestamp: {word}")).param("trial_end"))
        }
    }
}
