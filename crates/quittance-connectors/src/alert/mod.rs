//! Messages about alerts, as each kind of channel takes them.
//!
//! Texts come from systems that anybody may write to: each form escapes them in its own way, and none lets them end a line,
//! a header or a field. Does not own what is told when, nor how it gets there.

mod event;
mod mail;
mod slack;
#[cfg(test)]
mod tests;
mod text;

pub use event::{EVENT_TYPE, event};
pub use mail::{Mail, mail};
pub use slack::slack;
