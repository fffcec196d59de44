//! `Prefer` (RFC 7240): how long a request is willing to wait for its outcome.

use http::{HeaderMap, HeaderName, HeaderValue};
use std::time::Duration;

/// How a request wants to wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Patience {
    /// How long.
    pub(super) wait: Duration,
    /// What of the request's wishes was heeded, for the answer.
    applied: Option<String>,
}

impl Patience {
    /// Reads the wishes of a request. Unknown preferences, and those that make no sense, are passed over, as the RFC
    /// demands; of several of one name the first counts.
    pub(super) fn of(headers: &HeaderMap, default_ms: u64, max_ms: u64) -> Self {
        let (mut is_async, mut wait_s) = (false, None);
        for value in headers.get_all("prefer").iter().filter_map(|line| line.to_str().ok()) {
            for preference in value.split(',') {
                // What follows a semicolon are parameters; none is known.
                let preference = preference.split(';').next().unwrap_or_default().trim();
                if preference.eq_ignore_ascii_case("respond-async") {
                    is_async = true;
                } else if let Some(seconds) = seconds(preference) {
                    wait_s = wait_s.or(Some(seconds));
                }
            }
        }
        let longest = Duration::from_millis(max_ms);
        let wait = match (wait_s, is_async) {
            (Some(seconds), _) => Duration::from_secs(seconds).min(longest),
            (None, true) => Duration::ZERO,
            (None, false) => Duration::from_millis(default_ms),
        };
        let mut applied = Vec::new();
        if is_async {
            applied.push("respond-async".to_owned());
        }
        if wait_s.is_some() {
            applied.push(format!("wait={}", wait.as_secs()));
        }
        Self { wait, applied: (!applied.is_empty()).then(|| applied.join(", ")) }
    }

    /// Says on an answer what was heeded.
    pub(super) fn apply(&self, headers: &mut HeaderMap) {
        if let Some(value) = self.applied.as_deref().and_then(|text| HeaderValue::from_str(text).ok()) {
            headers.insert(HeaderName::from_static("preference-applied"), value);
        }
    }
}

/// The number in `wait=N`, also as `wait="N"`.
fn seconds(preference: &str) -> Option<u64> {
    let (name, value) = preference.split_once('=')?;
    let value = value.trim().trim_matches('"');
    let is_wait = name.trim().eq_ignore_ascii_case("wait") && value.bytes().all(|byte| byte.is_ascii_digit());
    is_wait.then(|| value.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lines: &[&str], wait_ms: u64, applied: Option<&str>) {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("prefer", HeaderValue::from_str(line).expect("a header"));
        }
        let patience = Patience::of(&headers, 10_000, 60_000);
        assert_eq!(patience.wait, Duration::from_millis(wait_ms), "{lines:?}");
        assert_eq!(patience.applied.as_deref(), applied, "{lines:?}");
    }

    #[test]
    fn wishes_are_heeded_within_limits_and_what_is_not_understood_is_passed_over() {
        check(&[], 10_000, None);
        check(&["respond-async"], 0, Some("respond-async"));
        check(&["wait=5"], 5_000, Some("wait=5"));
        check(&["Wait = \"5\" ; x=y"], 5_000, Some("wait=5"));
        check(&["wait=600"], 60_000, Some("wait=60"));
        check(&["wait=0"], 0, Some("wait=0"));
        check(&["handling=lenient", "respond-async, wait=3, wait=9"], 3_000, Some("respond-async, wait=3"));
        check(&["wait=-1", "wait=1.5", "wait=", "wait"], 10_000, None);
    }
}
