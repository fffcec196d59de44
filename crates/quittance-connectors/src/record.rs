//! Records: what a system's own form of a value becomes in the one form that is compared. Does not own that form, which
//! is [`quittance_core::record`].

mod holds;
mod json;
mod place;
mod written;

pub use holds::holds;
pub use json::{value_at, value_of};
pub(crate) use place::elements;
pub use place::{member_of, places, value_in};
pub use written::json_as;
