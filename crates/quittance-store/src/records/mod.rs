//! Domain values as rows and bytes, and back: the only place that knows the stored formats.
//!
//! Binary bodies begin with the number of their version. Every version that was ever written stays readable, and its
//! sample bytes stay in the tests. What the bytes say is the core's business; nothing is decided here.

mod alert;
mod base;
mod book;
mod clock;
pub mod codec;
mod command;
mod counter;
mod customer;
mod delivery;
mod discrepancy;
mod dispute;
mod effect;
mod endpoint;
mod event;
mod finding;
mod gateway_object;
mod inbox;
mod intent;
pub mod journal;
mod lane;
mod movement;
mod orphans;
mod pair_state;
mod payment;
mod pruned;
mod refund;
mod repair;
mod row;
mod run;
mod sweep;
mod switch;
mod tenant;
#[cfg(test)]
mod tests;
mod ticket;

pub use alert::{
    AlertChannel, NOTICES_KEPT, Notice, NoticeState, Said, decode_message, decode_said, decode_told, encode_message,
    encode_said, encode_told,
};
pub use base::{Agreed, Base, decode_agreed, encode_agreed};
pub use book::{Book, decode_balances, encode_balances};
pub use clock::ClockMark;
pub use command::KeyEntry;
pub use counter::{Counter, decode_tally, encode_tally};
pub use discrepancy::{Discrepancy, DiscrepancyKind};
pub use event::EventRow;
pub use finding::{FindingAction, FindingState, PairFinding};
pub use gateway_object::{GatewayObject, ObjectState, Owner};
pub use inbox::{Disposition, EventSource, InboxEntry};
pub use intent::{Holder, IntentEntry};
pub use journal::JournalEntry;
pub use lane::{Lane, Operation};
pub use movement::BookedMovement;
pub use orphans::OrphanEntry;
pub use pair_state::{PairMemory, PairPause, PairState};
pub use repair::{
    BooksDigest, RecordSaid, Repair, RepairBooks, RepairCause, RepairEntry, RepairHead, RepairNews, RepairPlan,
    RepairRun, RepairSaid, RepairSource, RepairState, chain_repair, decode_news, decode_plan, encode_news, encode_plan,
    record_digest, record_digest_of,
};
pub use row::{Corrupt, Entity};
pub use run::{Drift, Run, decode_proof, encode_proof};
pub use sweep::Sweep;
pub use switch::Switch;
pub use ticket::{ClosedHold, Ticket};
