//! Owns: the wire language, from URL and form to a checked operation. Does not own: any state.

pub(crate) mod billing;
pub(crate) mod card;
pub(crate) mod currency;
pub(crate) mod endpoint;
pub(crate) mod form;
pub(crate) mod list_query;
pub(crate) mod money_params;
pub(crate) mod operation;
pub(crate) mod params;
pub(crate) mod payment_params;
pub(crate) mod rail;

pub(crate) use form::Node;
pub(crate) use params::Params;
