//! Owns: what was created and is not in the lists yet, as at a gateway whose lists are behind. Does not own: reading by
//! id, which finds everything at once.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// How far lists are behind: so many further requests and so many seconds of the gateway's clock. It holds for what is
/// created from now on; with neither, everything is shown at once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Lag {
    pub(crate) requests: u64,
    pub(crate) seconds: u32,
    /// The lists that are behind, as `subscriptions`; all of them when it is empty.
    pub(crate) lists: Vec<String>,
}

#[derive(Debug, Default)]
pub(crate) struct Visibility {
    lag: Lag,
    unseen: BTreeMap<String, Until>,
}

/// The last request that does not show it, and the first second that does.
#[derive(Debug, Clone, Copy)]
struct Until {
    request: u64,
    second: i64,
}

// What is created beyond them is seen at once.
const UNSEEN_MAX: usize = 100_000;

impl Visibility {
    pub(crate) fn set(&mut self, lag: Lag) {
        self.lag = lag;
        if !self.is_behind() {
            self.unseen.clear();
        }
    }

    fn is_behind(&self) -> bool {
        self.lag.requests > 0 || self.lag.seconds > 0
    }

    /// These were created by the request with this number, at this second.
    pub(crate) fn created(&mut self, ids: Vec<String>, request: u64, now: i64) {
        if !self.is_behind() {
            return;
        }
        let request = request.saturating_add(self.lag.requests);
        let second = now.saturating_add(i64::from(self.lag.seconds));
        for id in ids {
            if self.unseen.len() >= UNSEEN_MAX {
                tracing::warn!(id, "seen at once: too much is not seen yet");
                continue;
            }
            self.unseen.insert(id, Until { request, second });
        }
    }

    /// What the request with this number does not see in a list, at this second.
    pub(crate) fn unseen(&mut self, list: &str, request: u64, now: i64) -> BTreeSet<String> {
        self.unseen.retain(|_, until| request <= until.request || now < until.second);
        let is_behind = self.lag.lists.is_empty() || self.lag.lists.iter().any(|name| name == list);
        if is_behind { self.unseen.keys().cloned().collect() } else { BTreeSet::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::{Lag, Visibility};

    #[test]
    fn both_the_requests_and_the_seconds_have_to_pass() {
        let mut visibility = Visibility::default();
        visibility.created(vec!["early".to_owned()], 1, 100);
        visibility.set(Lag { requests: 2, seconds: 10, lists: Vec::new() });
        visibility.created(vec!["late".to_owned()], 5, 100);
        let mut count = |request, now| visibility.unseen("charges", request, now).len();
        assert_eq!([count(6, 100), count(7, 110), count(8, 109), count(8, 110), count(6, 100)], [1, 1, 1, 0, 0]);
    }

    #[test]
    fn some_lists_can_be_behind_and_all_of_them_catch_up() {
        let mut visibility = Visibility::default();
        visibility.set(Lag { requests: 9, seconds: 0, lists: vec!["refunds".to_owned()] });
        visibility.created(vec!["re_1".to_owned()], 1, 100);
        assert_eq!(visibility.unseen("charges", 2, 100).len(), 0);
        assert_eq!(visibility.unseen("refunds", 2, 100).len(), 1);
        visibility.set(Lag::default());
        assert_eq!(visibility.unseen("refunds", 2, 100).len(), 0);
    }
}
