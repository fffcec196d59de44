//! Owns: which request or webhook meets which fault, and how often each happened. Does not own:
//! what a fault does (`gateway`, `webhooks`).

use std::collections::BTreeMap;
use std::sync::Mutex;

use crate::config::{FaultProfile, FaultRates};
use crate::dice::Dice;
use crate::lock::lock;

/// What can happen to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    TimeoutBeforeEffect,
    TimeoutAfterEffect,
    LostAnswer,
    ConnectionReset,
    Error500Charged,
    Error500NotCharged,
    /// With `Retry-After` in seconds, sometimes.
    RateLimited {
        retry_after: Option<u64>,
    },
    SlowAnswer,
    Unavailable,
}

impl Fault {
    fn name(self) -> &'static str {
        match self {
            Self::TimeoutBeforeEffect => "timeout_before_effect",
            Self::TimeoutAfterEffect => "timeout_after_effect",
            Self::LostAnswer => "lost_answer",
            Self::ConnectionReset => "connection_reset",
            Self::Error500Charged => "error_500_charged",
            Self::Error500NotCharged => "error_500_not_charged",
            Self::RateLimited { .. } => "rate_limited_429",
            Self::SlowAnswer => "slow_answer",
            Self::Unavailable => "unavailable_503",
        }
    }
}

/// Whether a request can have an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

/// What is planned for one event's webhooks; delays in milliseconds, one for each copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WebhookPlan {
    pub(crate) delays_ms: Vec<u64>,
}

#[derive(Debug)]
pub(crate) struct Faults {
    seed: u64,
    per_key_max: u32,
    late_ms: u64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    profile: FaultProfile,
    history: BTreeMap<u64, Seen>,
    counts: BTreeMap<&'static str, u64>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    requests: u32,
    faults: u32,
}

// Beyond this many different keys and URLs the history starts again: 16 MB are enough.
const HISTORY_MAX: usize = 1_000_000;

// Long enough that other events of the same second overtake.
const SHUFFLE_MS: u64 = 150;

impl Faults {
    pub(crate) fn new(seed: u64, per_key_max: u32, late_ms: u64, profile: FaultProfile) -> Self {
        let state = State { profile, history: BTreeMap::new(), counts: BTreeMap::new() };
        Self { seed, per_key_max, late_ms, state: Mutex::new(state) }
    }

    /// Decides from the seed, the endpoint, the key (or URL) and how often it came before.
    pub(crate) fn draw(&self, access: Access, method: &str, class: &str, subject: &str) -> Option<Fault> {
        let dice = Dice::new(self.seed).text(method).text(class).text(subject);
        let mut state = lock(&self.state);
        let rates = state.profile.rates();
        if state.history.len() >= HISTORY_MAX {
            state.history.clear();
        }
        let seen = state.history.entry(dice.value()).or_default();
        let dice = dice.number(u64::from(seen.requests));
        seen.requests = seen.requests.saturating_add(1);
        if seen.faults >= self.per_key_max {
            return None;
        }
        let fault = choose(access, &rates, dice)?;
        seen.faults += 1;
        Some(fault)
    }

    /// A drawn fault happened. Some cannot: a stored answer is not turned into another.
    pub(crate) fn count(&self, fault: Fault) {
        self.add(fault.name());
    }

    pub(crate) fn plan_webhook(&self, event: &str) -> WebhookPlan {
        let rates = lock(&self.state).profile.rates();
        let dice = Dice::new(self.seed).text("webhook").text(event);
        let hits = |name: &'static str, per_mille: u16| {
            let hit = dice.text(name).roll(1000) < u64::from(per_mille);
            if hit {
                self.add(name);
            }
            hit
        };
        if hits("webhook_dropped", rates.webhook_dropped) {
            return WebhookPlan { delays_ms: Vec::new() };
        }
        let mut delay_ms = 0;
        if hits("webhook_late", rates.webhook_late) {
            delay_ms += self.late_ms;
        }
        if hits("webhook_shuffled", rates.webhook_shuffled) {
            delay_ms += 1 + dice.text("delay").roll(SHUFFLE_MS);
        }
        let mut delays_ms = vec![delay_ms];
        if hits("webhook_duplicate", rates.webhook_duplicate) {
            delays_ms.push(delay_ms + dice.text("copy").roll(SHUFFLE_MS));
        }
        WebhookPlan { delays_ms }
    }

    pub(crate) fn counts(&self) -> BTreeMap<&'static str, u64> {
        lock(&self.state).counts.clone()
    }

    pub(crate) fn profile(&self) -> FaultProfile {
        lock(&self.state).profile
    }

    pub(crate) fn set_profile(&self, profile: FaultProfile) {
        lock(&self.state).profile = profile;
    }

    fn add(&self, name: &'static str) {
        *lock(&self.state).counts.entry(name).or_default() += 1;
    }
}

fn choose(access: Access, rates: &FaultRates, dice: Dice) -> Option<Fault> {
    let retry_after = (dice.text("retry").roll(2) == 0).then_some(1);
    let write = u32::from(access == Access::Write) * 1000;
    let both = if access == Access::Write { 1000 } else { u32::from(rates.reads) };
    // A read has no effect that could be there or not.
    let chances = [
        (rates.timeout_before_effect, both, Fault::TimeoutBeforeEffect),
        (rates.timeout_after_effect, write, Fault::TimeoutAfterEffect),
        (rates.lost_answer, write, Fault::LostAnswer),
        (rates.connection_reset, both, Fault::ConnectionReset),
        (rates.error_500_charged, write, Fault::Error500Charged),
        (rates.error_500_not_charged, both, Fault::Error500NotCharged),
        (rates.rate_limited_429, both, Fault::RateLimited { retry_after }),
        (rates.slow_answer, both, Fault::SlowAnswer),
        (rates.unavailable_503, both, Fault::Unavailable),
    ];
    // In millionths, because a share of a per mille is less than one.
    let mut roll = dice.roll(1_000_000);
    for (per_mille, share, fault) in chances {
        let width = u64::from(u32::from(per_mille) * share);
        if roll < width {
            return Some(fault);
        }
        roll -= width;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{Access, Fault, Faults};
    use crate::config::{FaultProfile, FaultRates};

    fn hostile(seed: u64) -> Faults {
        Faults::new(seed, 4, 5_000, FaultProfile::Hostile)
    }

    fn draw(faults: &Faults, key: &str) -> Option<Fault> {
        faults.draw(Access::Write, "POST", "payment_intents", key)
    }

    #[test]
    fn the_same_seed_gives_the_same_faults_in_any_order() {
        let keys: Vec<String> = (0..200).map(|number| format!("key-{number}")).collect();
        let (one, two, other) = (hostile(7), hostile(7), hostile(8));
        let forwards: Vec<_> = keys.iter().map(|key| draw(&one, key)).collect();
        let mut backwards: Vec<_> = keys.iter().rev().map(|key| draw(&two, key)).collect();
        backwards.reverse();
        assert_eq!(forwards, backwards);
        let others: Vec<_> = keys.iter().map(|key| draw(&other, key)).collect();
        assert_ne!(forwards, others);
    }

    #[test]
    fn about_a_third_of_the_writes_and_few_reads_meet_a_fault() {
        let faults = hostile(1);
        let count = |access, class: &str| {
            let draws = (0..10_000).filter_map(|number| faults.draw(access, "X", class, &number.to_string()));
            draws.count()
        };
        let writes = count(Access::Write, "a");
        let reads = count(Access::Read, "b");
        assert!((3_300..3_700).contains(&writes), "{writes}");
        // 200 per mille of the kinds that can hit a read: 20 + 50 + 30 + 50 + 30 + 20.
        assert!((320..480).contains(&reads), "{reads}");
    }

    #[test]
    fn a_patient_client_gets_through() {
        let rates = FaultRates { unavailable_503: 1000, ..FaultRates::default() };
        let faults = Faults::new(1, 4, 5_000, FaultProfile::Custom(rates));
        let draws: Vec<_> = (0..6).map(|_| draw(&faults, "key").is_some()).collect();
        assert_eq!(draws, [true, true, true, true, false, false]);
    }
}
