//! Owns: checked requests, and how each endpoint reads its parameters. Does not own: what they
//! do. (Payment intents have their own file, `payment_params`.)

use super::endpoint::Endpoint;
use super::form::Node;
use super::params::{MetadataPatch, Params};
use super::payment_params::{self, Confirmation, IntentDraft, IntentPatch};
use crate::answer::ApiError;

/// A request whose parameters are all understood. Ids may still name nothing.
#[derive(Debug, Clone)]
pub(crate) enum Operation {
    CreateIntent(Box<IntentDraft>),
    ReadIntent(Expand),
    ListIntents(ListQuery, Expand),
    UpdateIntent(Box<IntentPatch>),
    ConfirmIntent(Confirmation),
    CancelIntent { reason: Option<&'static str>, expand: Expand },
    CaptureIntent { amount: Option<i64>, expand: Expand },
    ReadCharge,
    ListCharges(ListQuery),
    ReadEvent,
    ListEvents(ListQuery),
    CreateCustomer(CustomerPatch),
    UpdateCustomer(CustomerPatch),
    ReadCustomer,
    ListCustomers(ListQuery),
    DeleteCustomer,
    ReadMethod,
    ListMethods(ListQuery),
    AttachMethod { customer: String },
    DetachMethod,
}

/// Whether `latest_charge` is to be an object instead of an id; nothing else can be expanded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Expand {
    #[default]
    Nothing,
    LatestCharge,
}

/// Paging and the filters of all lists; each endpoint reads only its own.
#[derive(Debug, Clone, Default)]
pub(crate) struct ListQuery {
    pub(crate) limit: usize,
    pub(crate) starting_after: Option<String>,
    pub(crate) ending_before: Option<String>,
    pub(crate) created_min: Option<i64>,
    pub(crate) created_max: Option<i64>,
    pub(crate) customer: Option<String>,
    pub(crate) payment_intent: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) types: Vec<String>,
    pub(crate) delivery_success: Option<bool>,
}

/// What creating and updating a customer share. `Some("")` unsets.
#[derive(Debug, Clone, Default)]
pub(crate) struct CustomerPatch {
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) metadata: Option<MetadataPatch>,
}

impl Operation {
    /// Effects of parameters, not of state: nothing refused here ever reaches the idempotency layer.
    pub(crate) fn read(endpoint: Endpoint, mut params: Params) -> Result<Self, ApiError> {
        let operation = match endpoint {
            Endpoint::CreateIntent => Self::CreateIntent(Box::new(payment_params::draft(&mut params)?)),
            Endpoint::UpdateIntent => Self::UpdateIntent(Box::new(payment_params::patch(&mut params)?)),
            Endpoint::ConfirmIntent => Self::ConfirmIntent(payment_params::confirmation(&mut params)?),
            Endpoint::CancelIntent => Self::CancelIntent {
                reason: payment_params::reason(&mut params)?,
                expand: expand(&mut params, "latest_charge")?,
            },
            Endpoint::CaptureIntent => Self::CaptureIntent {
                amount: payment_params::capture(&mut params)?,
                expand: expand(&mut params, "latest_charge")?,
            },
            Endpoint::ReadIntent => {
                params.ignore(&["client_secret"]);
                Self::ReadIntent(expand(&mut params, "latest_charge")?)
            }
            Endpoint::ListIntents => {
                let query = list(&mut params, &["customer"])?;
                Self::ListIntents(query, expand(&mut params, "data.latest_charge")?)
            }
            Endpoint::ReadCharge => Self::ReadCharge,
            Endpoint::ListCharges => Self::ListCharges(list(&mut params, &["customer", "payment_intent"])?),
            Endpoint::ReadEvent => Self::ReadEvent,
            Endpoint::ListEvents => Self::ListEvents(list(&mut params, &["type"])?),
            Endpoint::CreateCustomer => Self::CreateCustomer(customer(&mut params)?),
            Endpoint::UpdateCustomer => Self::UpdateCustomer(customer(&mut params)?),
            Endpoint::ReadCustomer => Self::ReadCustomer,
            Endpoint::ListCustomers => Self::ListCustomers(list(&mut params, &["email"])?),
            Endpoint::DeleteCustomer => Self::DeleteCustomer,
            Endpoint::ReadMethod => Self::ReadMethod,
            Endpoint::ListMethods => {
                params.ignore(&["type"]);
                Self::ListMethods(list(&mut params, &["customer"])?)
            }
            Endpoint::AttachMethod => {
                let customer = params.word("customer")?;
                Self::AttachMethod { customer: customer.ok_or_else(|| ApiError::missing_parameter("customer"))? }
            }
            Endpoint::DetachMethod => Self::DetachMethod,
        };
        params.finish()?;
        Ok(operation)
    }
}

pub(crate) fn expand(params: &mut Params, expandable: &str) -> Result<Expand, ApiError> {
    let Some(paths) = params.words("expand")? else {
        return Ok(Expand::Nothing);
    };
    match paths.iter().find(|path| *path != expandable) {
        None => Ok(Expand::LatestCharge),
        Some(path) => {
            let message = format!("This property cannot be expanded ({path}).");
            Err(ApiError::bad_request(message).param("expand"))
        }
    }
}

fn list(params: &mut Params, filters: &[&str]) -> Result<ListQuery, ApiError> {
    let mut query = ListQuery { limit: limit(params)?, ..ListQuery::default() };
    query.starting_after = params.word("starting_after")?;
    query.ending_before = params.word("ending_before")?;
    if query.starting_after.is_some() && query.ending_before.is_some() {
        let message = "You may only specify one of these parameters: starting_after, ending_before.";
        return Err(ApiError::bad_request(message));
    }
    created(params, &mut query)?;
    for filter in filters {
        match *filter {
            "customer" => query.customer = params.word("customer")?,
            "payment_intent" => query.payment_intent = params.word("payment_intent")?,
            "email" => query.email = params.word("email")?,
            _ => {
                query.types = types(params)?;
                query.delivery_success = params.boolean("delivery_success")?;
            }
        }
    }
    Ok(query)
}

fn limit(params: &mut Params) -> Result<usize, ApiError> {
    match params.integer("limit")? {
        None => Ok(10),
        Some(limit) => match usize::try_from(limit) {
            Ok(limit @ 1..=100) => Ok(limit),
            _ => {
                let message = "Invalid limit: must be between 1 and 100";
                Err(ApiError::invalid("parameter_invalid_integer", message).param("limit"))
            }
        },
    }
}

fn types(params: &mut Params) -> Result<Vec<String>, ApiError> {
    let one = params.word("type")?;
    let many = params.words("types")?;
    if one.is_some() && many.is_some() {
        let message = "You may only specify one of these parameters: type, types.";
        return Err(ApiError::bad_request(message));
    }
    Ok(many.unwrap_or_else(|| one.into_iter().collect()))
}

/// `created=5` or `created[gt|gte|lt|lte]=5`.
fn created(params: &mut Params, query: &mut ListQuery) -> Result<(), ApiError> {
    let bounds = match params.take("created") {
        None => return Ok(()),
        Some(Node::Leaf(value)) => {
            vec![("gte".to_owned(), Node::Leaf(value.clone())), ("lte".to_owned(), Node::Leaf(value))]
        }
        Some(Node::Branch(bounds)) => bounds,
    };
    for (name, value) in bounds {
        let invalid = || ApiError::invalid("parameter_invalid_integer", "Invalid timestamp").param("created");
        let Node::Leaf(value) = value else {
            return Err(invalid());
        };
        let second: i64 = value.parse().map_err(|_| invalid())?;
        match name.as_str() {
            "gt" => query.created_min = Some(second.saturating_add(1)),
            "gte" => query.created_min = Some(second),
            "lt" => query.created_max = Some(second.saturating_sub(1)),
            "lte" => query.created_max = Some(second),
            other => return Err(ApiError::unknown_parameter(&format!("created[{other}]"))),
        }
    }
    Ok(())
}

fn customer(params: &mut Params) -> Result<CustomerPatch, ApiError> {
    // Accepted and without a meaning here.
    params.ignore(&["address", "shipping", "preferred_locales", "tax_exempt", "invoice_settings"]);
    Ok(CustomerPatch {
        name: params.text("name")?,
        email: params.text("email")?,
        phone: params.text("phone")?,
        description: params.text("description")?,
        metadata: params.metadata()?,
    })
}
