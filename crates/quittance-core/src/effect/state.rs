//! Where an effect stands.

/// Where an effect stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Committed; nothing of this step and generation is known to have left, so it may be sent.
    Intended,
    /// A ticket is committed; bytes may have left.
    Sending,
    /// A send may have had an effect and its outcome is not proven.
    Unknown,
    /// The gateway has it and has not finished.
    Pending,
    /// Proven: nothing of this generation was carried out, nor will be. The next one may be sent.
    NotExecuted,
    /// Proven: money moved.
    Succeeded,
    /// Proven: no money moved and none can.
    Failed,
    /// Given up before anything could have moved.
    Canceled,
    /// Automation may not decide; a person does.
    Review,
}

impl State {
    /// Every state, in order.
    pub const ALL: [Self; 9] = [
        Self::Intended,
        Self::Sending,
        Self::Unknown,
        Self::Pending,
        Self::NotExecuted,
        Self::Succeeded,
        Self::Failed,
        Self::Canceled,
        Self::Review,
    ];

    /// Whether automation has nothing left to do.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Intended | Self::Sending | Self::Unknown | Self::Pending | Self::NotExecuted => false,
            Self::Succeeded | Self::Failed | Self::Canceled | Self::Review => true,
        }
    }

    /// Stable name, stored and shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Intended => "intended",
            Self::Sending => "sending",
            Self::Unknown => "unknown",
            Self::Pending => "pending",
            Self::NotExecuted => "not_executed",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
            Self::Review => "review",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}
