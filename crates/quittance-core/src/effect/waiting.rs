//! Who waits: an effect for somebody, and commands for an effect.

use crate::id::CommandId;
use crate::time::Timestamp;

/// Whom a pending effect waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// The customer, who has to authenticate.
    Action,
    /// The client, who has to capture.
    Capture,
}

/// When a pending effect is given up unless somebody acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// Whom it waits for.
    pub waiting: Waiting,
    /// Until when.
    pub at: Timestamp,
}

/// What a command that waits for an effect asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The payment that already held its reference.
    Existing,
    /// To take what was authorised.
    Capture,
    /// To give the payment up.
    Cancel,
}

/// A command besides the effect's own that waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Joined {
    /// The command.
    pub command: CommandId,
    /// What it asked for.
    pub asked: Asked,
}
