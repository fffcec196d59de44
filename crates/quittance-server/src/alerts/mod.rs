//! Alerts: what is wrong is kept, and told to the channels that operators configured.
//!
//! Whoever judges something calls [`observe`]; what follows is decided by [`quittance_core::alert`] and kept where comparisons
//! are kept, so that any number of processes can tell and each message is written down by one of them. Does not own what is
//! wrong with what.

mod book;
mod listed;
mod observing;
mod outbox;
mod round;
mod sending;
mod silencing;
mod watching;

pub use book::Book;
pub use listed::{ChannelView, alert_view, channel_views, silence_view};
pub use observing::observe;
pub(crate) use round::run;
pub use sending::{SendError, Ways, shown};
pub use silencing::{lift, silence};
