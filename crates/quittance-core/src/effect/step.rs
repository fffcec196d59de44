//! The requests that an effect consists of, and what has to be known around one of them.

use crate::fact::{Decline, Sighting};

/// Which request of the effect is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Make the inert object.
    Create,
    /// Act on it.
    Confirm,
    /// Fence it: a canceled object can never charge.
    Cancel,
    /// Take what was authorised.
    Capture,
    /// Do it all in one request: a charge, a transfer, a refund.
    Execute,
    /// Hand in what a dispute is answered with.
    Submit,
}

impl Step {
    /// Every step, in order.
    pub const ALL: [Self; 6] = [Self::Create, Self::Confirm, Self::Cancel, Self::Capture, Self::Execute, Self::Submit];

    /// Stable name, stored, shown, and part of the gateway key.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Confirm => "confirm",
            Self::Cancel => "cancel",
            Self::Capture => "capture",
            Self::Execute => "execute",
            Self::Submit => "submit",
        }
    }

    /// The step of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.name() == name)
    }
}

/// What the object looked like before a confirm was sent. A later read that differs proves that the confirm ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fence {
    /// The newest charge attempt then.
    pub latest_charge: Option<String>,
    /// Digest of the last payment error then.
    pub error_digest: Option<[u8; 32]>,
}

impl Fence {
    /// The fence a sighting gives.
    #[must_use]
    pub fn of(sighting: &Sighting) -> Self {
        Self { latest_charge: sighting.latest_charge.clone(), error_digest: sighting.error_digest }
    }

    /// Whether an attempt was made on the object since. An error that merely disappeared proves nothing: gateways clear
    /// it on unrelated changes.
    #[must_use]
    pub fn is_passed_by(&self, sighting: &Sighting) -> bool {
        let has_new_error = sighting.error_digest.is_some() && self.error_digest != sighting.error_digest;
        self.latest_charge != sighting.latest_charge || has_new_error
    }
}

/// What canceling the object is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AfterCancel {
    /// The attempt failed, but a send of it was once lost: fence the object, then report the failure.
    Fail(Decline),
    /// The object belonged to an earlier, failed attempt of other shape: fence it, then create our own.
    Replace,
    /// The client gave the payment up.
    GiveUp,
    /// Nobody acted on it in time.
    Expire,
}
