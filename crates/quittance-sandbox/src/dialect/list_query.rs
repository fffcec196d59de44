//! Owns: paging and the filters of lists, as parameters. Does not own: which rows they select (`books`).

use std::collections::BTreeSet;

use super::form::Node;
use super::params::Params;
use crate::answer::ApiError;

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
    pub(crate) charge: Option<String>,
    pub(crate) source: Option<String>,
    pub(crate) payout: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) currency: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) price: Option<String>,
    pub(crate) product: Option<String>,
    pub(crate) subscription: Option<String>,
    pub(crate) active: Option<bool>,
    pub(crate) types: Vec<String>,
    pub(crate) delivery_success: Option<bool>,
    /// The kinds of events that are left out; not a parameter.
    pub(crate) hidden_events: Vec<&'static str>,
    /// The page is to end with the row that it should begin after; not a parameter.
    pub(crate) repeats_cursor: bool,
    /// The ids of what lists do not show yet; not a parameter.
    pub(crate) unseen: BTreeSet<String>,
}

/// Reads paging alone, as of lists inside other objects.
pub(crate) fn paging(params: &mut Params) -> Result<ListQuery, ApiError> {
    let mut query = ListQuery { limit: limit(params)?, ..ListQuery::default() };
    query.starting_after = params.word("starting_after")?;
    query.ending_before = params.word("ending_before")?;
    if query.starting_after.is_some() && query.ending_before.is_some() {
        let message = "You may only specify one of these parameters: starting_after, ending_before.";
        return Err(ApiError::bad_request(message));
    }
    Ok(query)
}

/// Reads paging, `created` and the filters named.
pub(crate) fn list(params: &mut Params, filters: &[&str]) -> Result<ListQuery, ApiError> {
    let mut query = paging(params)?;
    created(params, &mut query)?;
    for filter in filters {
        match *filter {
            "customer" => query.customer = params.word("customer")?,
            "payment_intent" => query.payment_intent = params.word("payment_intent")?,
            "charge" => query.charge = params.word("charge")?,
            "source" => query.source = params.word("source")?,
            "payout" => query.payout = params.word("payout")?,
            "status" => query.status = params.word("status")?,
            "currency" => query.currency = params.word("currency")?,
            "one_type" => query.types = params.word("type")?.into_iter().collect(),
            "email" => query.email = params.word("email")?,
            "price" => query.price = params.word("price")?,
            "product" => query.product = params.word("product")?,
            "subscription" => query.subscription = params.word("subscription")?,
            "active" => query.active = params.boolean("active")?,
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
