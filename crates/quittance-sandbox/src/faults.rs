//! Owns: which request or webhook meets which fault, and how often each happened. Does not own:
//! what a fault does (`gateway`, `webhooks`).

use std::collections::BTreeMap;
use std::sync::Mutex;

use crate::config::{Config, FaultProfile};
use crate::dice::Dice;
use crate::fault::{Access, Fault, choose};
use crate::lock::lock;

/// What is planned for one event's webhooks; delays in milliseconds, one for each copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WebhookPlan {
    pub(crate) delays_ms: Vec<u64>,
}

#[derive(Debug)]
pub(crate) struct Faults {
    seed: u64,
    per_key_max: u32,
    webhook_late_ms: u64,
    /// The shortest and the longest delay of a late effect.
    late_effect_ms: (u64, u64),
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

/// The longest time that a fault may hold or delay a request.
pub(crate) const DELAY_MS_MAX: u64 = 600_000;

impl Faults {
    pub(crate) fn new(config: &Config) -> Self {
        let hold_ms = config.hold_ms.min(DELAY_MS_MAX);
        let late_ms_max = config.late_effect_ms_max.unwrap_or(hold_ms * 3 / 2).min(DELAY_MS_MAX);
        Self {
            seed: config.seed,
            per_key_max: config.faults_per_key_max,
            webhook_late_ms: config.webhook_late_ms,
            late_effect_ms: (late_ms_max.min(hold_ms / 5), late_ms_max),
            state: Mutex::new(State { profile: config.faults, history: BTreeMap::new(), counts: BTreeMap::new() }),
        }
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
        let fault = choose(access, &rates, dice, self.late_effect_ms)?;
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
            delay_ms += self.webhook_late_ms;
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Access, Fault, Faults};
    use crate::config::{Config, FaultProfile, FaultRates};

    fn hostile(seed: u64) -> Faults {
        Faults::new(&Config { seed, faults: FaultProfile::Hostile, ..Config::default() })
    }

    fn draw(faults: &Faults, key: &str) -> Option<Fault> {
        faults.draw(Access::PostponableWrite, "POST", "payment_intents", key)
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
    fn about_a_third_of_the_payments_and_few_reads_meet_a_fault() {
        let faults = hostile(1);
        let count = |access, class: &str| {
            let draws = (0..10_000).filter_map(|number| faults.draw(access, "X", class, &number.to_string()));
            draws.count()
        };
        let payments = count(Access::PostponableWrite, "a");
        let writes = count(Access::Write, "a");
        let reads = count(Access::Read, "b");
        assert!((3_400..3_800).contains(&payments), "{payments}");
        // All but the 40 per mille that are late.
        assert!((3_000..3_400).contains(&writes), "{writes}");
        // 200 per mille of the kinds that can hit a read: 20 + 50 + 30 + 50 + 20 + 5 + 5 + 20 + 5 + 10.
        assert!((340..500).contains(&reads), "{reads}");
    }

    #[test]
    fn a_patient_client_gets_through() {
        let rates = FaultRates { unavailable_503: 1000, ..FaultRates::default() };
        let faults = Faults::new(&Config { faults: FaultProfile::Custom(rates), ..Config::default() });
        let draws: Vec<_> = (0..6).map(|_| draw(&faults, "key").is_some()).collect();
        assert_eq!(draws, [true, true, true, true, false, false]);
    }

    /// Draws 1,000 late effects; `low` and `high` are the ends of the range in milliseconds.
    fn check_delays(hold_ms: u64, late_effect_ms_max: Option<u64>, low: u64, high: u64) {
        let faults = FaultProfile::Custom(FaultRates { late_effect: 1000, ..FaultRates::default() });
        let faults = Faults::new(&Config { hold_ms, late_effect_ms_max, faults, ..Config::default() });
        let delays = (0..1_000).map(|number| match draw(&faults, &number.to_string()) {
            Some(Fault::LateEffect { delay }) => delay,
            other => panic!("{other:?}"),
        });
        let (low, high) = (Duration::from_millis(low), Duration::from_millis(high));
        let delays: Vec<_> = delays.collect();
        assert!(delays.iter().all(|delay| (low..=high).contains(delay)), "{delays:?}");
        let middle = (low + high) / 2;
        assert!(low == high || delays.iter().any(|delay| *delay < middle), "{delays:?}");
        assert!(low == high || delays.iter().any(|delay| *delay > middle), "{delays:?}");
    }

    #[test]
    fn late_effects_come_within_the_configured_time() {
        check_delays(30_000, None, 6_000, 45_000);
        check_delays(1_000, Some(9_000), 200, 9_000);
        check_delays(1_000, Some(100), 100, 100);
        check_delays(0, None, 0, 0);
        check_delays(u64::MAX, Some(u64::MAX), 120_000, 600_000);
    }
}
