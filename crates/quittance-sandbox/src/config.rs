//! Owns: what a sandbox can be told before and while it runs. Does not own: how faults are drawn.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

use crate::profile::Class;

/// Everything that shapes one sandbox. `Config::default()` is a well-behaved gateway.
#[derive(Debug, Clone)]
pub struct Config {
    /// The same seed gives the same ids and the same faults to the same idempotency keys, and at the
    /// rail to the same references.
    pub seed: u64,
    /// How often something goes wrong.
    pub faults: FaultProfile,
    /// After this many faults on one idempotency key (or reference, or URL) there are none any more, so that a
    /// patient client always gets through.
    pub faults_per_key_max: u32,
    /// Where events are posted; `None` posts nothing until the control interface sets a target.
    pub webhook: Option<WebhookTarget>,
    /// How long a "timeout" holds the connection before closing it, in milliseconds; at most ten
    /// minutes are honoured.
    pub hold_ms: u64,
    /// How long a slow answer takes, in milliseconds; at most ten minutes are honoured.
    pub slow_ms: u64,
    /// The longest time after which a late effect happens, in milliseconds; at most ten minutes are
    /// honoured. `None` is one and a half times `hold_ms`. The shortest is a fifth of `hold_ms`.
    pub late_effect_ms_max: Option<u64>,
    /// How many late effects may be pending at once. Beyond them such a request meets
    /// `timeout_before_effect` instead.
    pub late_pending_max: usize,
    /// The accepted API keys. They all belong to one account. `None` accepts every key that
    /// begins with `sk_test_` or `rk_test_`.
    pub api_keys: Option<Vec<String>>,
    /// The pause before the second attempt to deliver a webhook, in milliseconds; it doubles with
    /// every further attempt.
    pub webhook_retry_base_ms: u64,
    /// How long a late webhook is held back, in milliseconds.
    pub webhook_late_ms: u64,
    /// After this time an idempotency key is forgotten and executes afresh, in milliseconds.
    pub idempotency_retention_ms: u64,
    /// What the gateway keeps for itself.
    pub fees: Fees,
    /// When a charge gets its balance transaction.
    pub balance_transactions: TransactionTiming,
    /// After which time the gateway does by itself what comes later: a pending refund succeeds, a payout moves on, a
    /// dispute is decided by its evidence; in milliseconds, at most ten minutes are honoured.
    /// `POST /_sandbox/agenda/flush` does all of it at once.
    pub agenda_ms: u64,
    /// What the gateway can be asked afterwards; see [`Class`]. `POST /_sandbox/profile` changes it. The rail is always
    /// class B.
    pub class: Class,
    /// How wrong its clock is, in seconds: the `Date` header and every `created` are off by so much. Webhooks are
    /// signed at the right time all the same. A year either way is honoured. `POST /_sandbox/clock` changes it.
    pub clock_skew_seconds: i64,
    /// How many requests under `/v1` are let through in any second; all others are a 429 with `Retry-After`. `None` is
    /// no limit. `POST /_sandbox/rate_limit` changes it.
    pub requests_per_second_max: Option<u32>,
    /// Keys that may do less than all others; they are accepted besides `api_keys`. `POST /_sandbox/keys` adds some.
    pub restricted_keys: Vec<RestrictedKey>,
}

/// A key that may not do everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestrictedKey {
    /// As it is sent; Stripe's begin with `rk_`.
    pub key: String,
    /// Whether it may do anything but read.
    pub may_write: bool,
    /// What it may not read, by the first word of the URL after `/v1/`: `subscriptions`, say.
    pub may_not_read: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            seed: 1,
            faults: FaultProfile::None,
            faults_per_key_max: 4,
            webhook: None,
            hold_ms: 30_000,
            slow_ms: 500,
            late_effect_ms_max: None,
            // A request has at most 64 kB, so they take at most 64 MB.
            late_pending_max: 1_024,
            api_keys: None,
            webhook_retry_base_ms: 500,
            webhook_late_ms: 5_000,
            // Stripe removes keys "after they're at least 24 hours old" (API reference,
            // "Idempotent requests").
            idempotency_retention_ms: 24 * 60 * 60 * 1000,
            fees: Fees::default(),
            balance_transactions: TransactionTiming::AtOnce,
            agenda_ms: 2_000,
            class: Class::default(),
            clock_skew_seconds: 0,
            requests_per_second_max: None,
            restricted_keys: Vec::new(),
        }
    }
}

/// What the gateway keeps for itself, in minor units of whatever currency was charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fees {
    /// The share of a charge, in ten-thousandths; halves are rounded up.
    pub per_ten_thousand: i64,
    /// What each charge costs besides.
    pub fixed: i64,
    /// What each chargeback costs, won or lost.
    pub dispute: i64,
}

impl Default for Fees {
    /// 2.9 % and 30, and 1,500 for a dispute: Stripe's prices for cards in the United States.
    fn default() -> Self {
        Self { per_ten_thousand: 290, fixed: 30, dispute: 1_500 }
    }
}

impl Fees {
    /// The fee of a charge; never more than the charge.
    pub(crate) fn of(self, amount: i64) -> i64 {
        let share = i128::from(amount) * i128::from(self.per_ten_thousand);
        let fee = (share + 5_000).div_euclid(10_000) + i128::from(self.fixed);
        i64::try_from(fee).unwrap_or(i64::MAX).clamp(0, amount)
    }
}

/// When a charge gets its balance transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionTiming {
    /// Before `charge.succeeded` is sent.
    AtOnce,
    /// It is null in `charge.succeeded`, and a `charge.updated` follows when it is there.
    Later,
}

/// Where webhooks go and what signs them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookTarget {
    /// An absolute `http` or `https` URL.
    pub url: String,
    /// Each secret adds one `v1` signature; the whole string, `whsec_` included, is the key.
    pub secrets: Vec<String>,
}

/// How hostile the gateway is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultProfile {
    /// Nothing goes wrong.
    None,
    /// A few requests in a hundred.
    Mild,
    /// About 36 payments in 100, and webhooks that are dropped, repeated, late and out of order.
    Hostile,
    /// One's own probabilities.
    Custom(FaultRates),
}

impl FaultProfile {
    /// The probabilities behind the name.
    pub fn rates(self) -> FaultRates {
        match self {
            Self::None => FaultRates::default(),
            Self::Mild => FaultRates::MILD,
            Self::Hostile => FaultRates::HOSTILE,
            Self::Custom(rates) => rates,
        }
    }
}

impl fmt::Display for FaultProfile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::None => "none",
            Self::Mild => "mild",
            Self::Hostile => "hostile",
            Self::Custom(_) => "custom",
        })
    }
}

/// The name of a fault profile that does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownProfile(pub String);

impl fmt::Display for UnknownProfile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "unknown fault profile {:?}: use none, mild or hostile", self.0)
    }
}

impl std::error::Error for UnknownProfile {}

impl FromStr for FaultProfile {
    type Err = UnknownProfile;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "none" => Ok(Self::None),
            "mild" => Ok(Self::Mild),
            "hostile" => Ok(Self::Hostile),
            other => Err(UnknownProfile(other.to_owned())),
        }
    }
}

/// Probabilities in per mille. At most one of the request faults hits a request, so their sum is
/// the share of writes that meet one; what exceeds 1,000 never happens. The four webhook faults
/// are drawn for each event: dropped excludes the others, which may meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FaultRates {
    /// The request is read, nothing is done, the connection is held and then closed.
    pub timeout_before_effect: u16,
    /// The request is carried out, the connection is held and then closed.
    pub timeout_after_effect: u16,
    /// The request is carried out and the connection reset without an answer.
    pub lost_answer: u16,
    /// The connection is reset before anything is done.
    pub connection_reset: u16,
    /// The request is carried out, but the answer, also every later one, is a 500.
    pub error_500_charged: u16,
    /// Nothing is done, and the answer, also every later one, is a 500.
    pub error_500_not_charged: u16,
    /// A 429 from before the idempotency layer.
    pub rate_limited_429: u16,
    /// The effect is there at once, the answer comes late; the key is in use meanwhile.
    pub slow_answer: u16,
    /// A 503 from before the idempotency layer.
    pub unavailable_503: u16,
    /// The request is read, the connection is held and then closed, and the request is carried out
    /// later: perhaps after the client has read the object and gone another way. The key is in use
    /// until then. Only writes with a key that decide about money, and the rail's transfers, meet
    /// it; for all others this share is without a fault.
    pub late_effect: u16,
    /// The request is carried out, and the answer is a 200 with half of its body.
    pub truncated_json: u16,
    /// The request is carried out, and the answer is a 200 with a page of HTML.
    pub html_200: u16,
    /// The request is carried out, and the answer is a proxy's 502 with a page of HTML.
    pub bad_gateway_502: u16,
    /// A page of a list that was asked for with `starting_after` ends with that very row again and says that there is
    /// more. Only reads meet it.
    pub cursor_repeats: u16,
    /// A 401 for a good key: for this request and for up to four more, whosesoever they are.
    pub unauthorised_401: u16,
    /// How often a read meets a fault, compared with a write (1,000 = as often).
    pub reads: u16,
    /// The event is never posted.
    pub webhook_dropped: u16,
    /// The event is posted twice.
    pub webhook_duplicate: u16,
    /// The event is held back for a while.
    pub webhook_late: u16,
    /// The event is held back a little, so that later ones overtake it.
    pub webhook_shuffled: u16,
}

impl FaultRates {
    const MILD: Self = Self {
        timeout_before_effect: 2,
        timeout_after_effect: 2,
        lost_answer: 4,
        connection_reset: 4,
        error_500_charged: 2,
        error_500_not_charged: 2,
        rate_limited_429: 5,
        slow_answer: 4,
        unavailable_503: 2,
        late_effect: 3,
        truncated_json: 0,
        html_200: 0,
        bad_gateway_502: 0,
        cursor_repeats: 0,
        unauthorised_401: 0,
        reads: 200,
        webhook_dropped: 5,
        webhook_duplicate: 10,
        webhook_late: 10,
        webhook_shuffled: 20,
    };

    const HOSTILE: Self = Self {
        timeout_before_effect: 20,
        timeout_after_effect: 20,
        lost_answer: 60,
        connection_reset: 50,
        error_500_charged: 30,
        error_500_not_charged: 30,
        rate_limited_429: 50,
        slow_answer: 20,
        unavailable_503: 20,
        late_effect: 40,
        truncated_json: 5,
        html_200: 5,
        bad_gateway_502: 10,
        cursor_repeats: 5,
        // It says that the key is bad, and a client may well stop for good.
        unauthorised_401: 0,
        reads: 200,
        webhook_dropped: 150,
        webhook_duplicate: 200,
        webhook_late: 200,
        webhook_shuffled: 400,
    };
}
