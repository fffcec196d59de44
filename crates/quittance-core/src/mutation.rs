//! Seeded bugs, each at the place where somebody might make it: what the simulation's auditor must find.
//!
//! They exist only where everything is compiled with `--cfg quittance_mutations`, which no build of the product is: without
//! it, [`is`] is `false` before the compiler has begun. A cfg and not a feature, since features unify across a workspace.

/// A bug that can be switched on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutation {
    /// A request leaves without its ticket being stored.
    NoTicket,
    /// A replay goes out under a new key.
    KeyRecomputed,
    /// Whoever lost the lease is believed all the same.
    LeaseUnchecked,
    /// An event is believed as if the object had been read now.
    WebhookByArrival,
    /// A time-out counts as a failure.
    TimeoutIsFailure,
    /// What ended moves again, and closes its hold again.
    HoldClosedTwice,
    /// More may be given back than came.
    RefundSumUnguarded,
    /// A key is enough, whatever is asked under it.
    FingerprintUncompared,
    /// An answer that was given is given anew.
    AnswerRerendered,
    /// A key is thought to be remembered for ever.
    KeyRemembered,
    /// One search that finds nothing proves that nothing is there.
    AbsentAtOnce,
    /// What could not be committed is answered.
    AnsweredUncommitted,
    /// An event that was taken is taken again.
    WebhookTwice,
    /// A sweep ends with its first page.
    SweepCutShort,
    /// The refusal of a confirm is believed, though an earlier one may be what it is about.
    StaleRefusalBelieved,
    /// A decline ends the attempt although a send of it was lost.
    UnfencedDecline,
    /// The clock is always right.
    ErasIgnored,
    /// A gateway without keys is sent a lost request again.
    BlindResend,
    /// What a lost lease was sending is thought not to have left.
    LostLeaseUnsent,
    /// A search begins by our own clock, however far that was set ahead.
    SearchByOwnClock,
}

impl Mutation {
    /// Every mutation, in order.
    pub const ALL: [Self; 20] = [
        Self::NoTicket,
        Self::KeyRecomputed,
        Self::LeaseUnchecked,
        Self::WebhookByArrival,
        Self::TimeoutIsFailure,
        Self::HoldClosedTwice,
        Self::RefundSumUnguarded,
        Self::FingerprintUncompared,
        Self::AnswerRerendered,
        Self::KeyRemembered,
        Self::AbsentAtOnce,
        Self::AnsweredUncommitted,
        Self::WebhookTwice,
        Self::SweepCutShort,
        Self::StaleRefusalBelieved,
        Self::UnfencedDecline,
        Self::ErasIgnored,
        Self::BlindResend,
        Self::LostLeaseUnsent,
        Self::SearchByOwnClock,
    ];
}

#[cfg(quittance_mutations)]
thread_local! {
    static SET: std::cell::Cell<Option<Mutation>> = const { std::cell::Cell::new(None) };
}

/// Whether a bug is switched on; never, in a build that ships.
#[cfg(not(quittance_mutations))]
#[inline(always)]
#[must_use]
pub const fn is(_: Mutation) -> bool {
    false
}

/// Whether a bug is switched on in this thread.
#[cfg(quittance_mutations)]
#[must_use]
pub fn is(mutation: Mutation) -> bool {
    SET.get() == Some(mutation)
}

/// Switches a bug on in this thread, or all off.
#[cfg(quittance_mutations)]
pub fn set(mutation: Option<Mutation>) {
    SET.set(mutation);
}
