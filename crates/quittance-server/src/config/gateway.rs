//! One gateway's settings.

use super::errors::{Mistakes, Origin};
use super::section::Section;
use super::webhook_secret::{self, WebhookSecret};
use super::{Dialect, Gateway, budgets, dialect, secrets, timeout_ms_max};
use quittance_core::effect::Policy;
use quittance_engine::looks::Looks;
use std::collections::BTreeMap;

const KEYS: [&str; 26] = [
    "kind",
    "api_key",
    "api_base",
    "flow",
    "webhook_endpoint",
    "webhook_secrets",
    "webhook_tolerance_s",
    "webhook_grace_s",
    "webhook_url",
    "timeout_ms",
    "in_flight_max",
    "backoff_base_ms",
    "backoff_max_ms",
    "tries_max",
    "key_window_s",
    "quiescence_s",
    "quiescence_after_error_s",
    "payments_class",
    "refunds_class",
    "action_expiry_s",
    "capture_expiry_s",
    "pending_poll_ms",
    "account",
    "settle_after_s",
    "sweep_every_s",
    "object_sweep_every_s",
];

/// Less is not enough for a request to a gateway: half of it has to be left when one begins.
const TIMEOUT_MS_MIN: u64 = 500;

/// A name of a gateway or an endpoint is part of records, account names and paths: keep it short and plain.
const NAME_BYTES_MAX: usize = 64;

pub(super) fn check_name(name: &str, setting: &str, origin: &Origin, mistakes: &mut Mistakes) {
    if !is_name(name) {
        let remedy = "use 1 to 64 of a-z, A-Z, 0-9, `_` and `-`, as in [gateways.stripe]";
        mistakes.add(origin.clone(), setting, "not a name for a gateway", remedy);
    }
}

fn is_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(is_plain)
}

/// How long a request may take where nothing else is said and the lease allows it.
const TIMEOUT_MS: u64 = 20_000;

/// Reads a gateway's table, for leases of this length; nothing when something is wrong that has no default.
pub(super) fn parse(section: &Section<'_>, lease_ms: u64, origin: &Origin, mistakes: &mut Mistakes) -> Option<Gateway> {
    section.refuse_unknown(&[&KEYS[..], &budgets::KEYS].concat(), mistakes);
    let dialect = dialect::parse(section, origin, mistakes);
    let timeouts = TIMEOUT_MS_MIN..=timeout_ms_max(lease_ms);
    let timeout_ms = section.number("timeout_ms", TIMEOUT_MS.min(*timeouts.end()), timeouts, mistakes).value;
    let (payments, refunds) = dialect::capabilities(section, dialect, (timeout_ms, lease_ms), mistakes);
    let default = Policy::default();
    let mut number = |key, default, range| section.number(key, default, range, mistakes).value;
    let in_flight_max = number("in_flight_max", 32, 1..=10_000);
    let webhook_tolerance_s = number("webhook_tolerance_s", 300, 1..=86_400);
    let webhook_grace_s = number("webhook_grace_s", 900, 1..=86_400);
    let policy = Policy {
        backoff_base_ms: number("backoff_base_ms", default.backoff_base_ms, 1..=3_600_000),
        backoff_max_ms: number("backoff_max_ms", default.backoff_max_ms, 1..=86_400_000),
        tries_max: number("tries_max", default.tries_max.into(), 1..=1_000_000) as u32,
        payments,
        refunds,
        action_expiry_ms: number("action_expiry_s", default.action_expiry_ms / 1_000, 1..=31_622_400) * 1_000,
        capture_expiry_ms: number("capture_expiry_s", default.capture_expiry_ms / 1_000, 1..=31_622_400) * 1_000,
        pending_poll_ms: number("pending_poll_ms", default.pending_poll_ms, 10..=86_400_000),
    };
    let looks = Looks { settle_ms: number("settle_after_s", 900, 1..=86_400) * 1_000, ..Looks::default() };
    let sweep_every_s = number("sweep_every_s", 60, 1..=86_400);
    let object_sweep_every_s = number("object_sweep_every_s", 3_600, 1..=7 * 86_400);
    check_backoff(section, &policy, origin, mistakes);
    let budgets = budgets::parse(section, mistakes);
    let (webhook_endpoint, webhook_secrets) = match dialect {
        Some(dialect) if !dialect.sends_webhooks() => (None, Vec::new()),
        _ => webhooks(section, mistakes),
    };
    let webhook_url = match dialect {
        Some(dialect) if !dialect.sends_webhooks() => None,
        _ => webhook_url(section, webhook_endpoint.as_deref(), mistakes),
    };
    let api_base = api_base(section, dialect, origin, mistakes);
    let api_key = api_key(section, origin, mistakes)?;
    Some(Gateway {
        dialect: dialect?,
        api_key,
        api_base: api_base?,
        webhook_endpoint,
        webhook_secrets,
        webhook_tolerance_s: webhook_tolerance_s as u32,
        webhook_grace_s,
        webhook_url,
        timeout_ms,
        in_flight_max: in_flight_max as usize,
        policy,
        looks,
        sweep_every_s,
        object_sweep_every_s,
        account: section.text("account", mistakes).map(|found| found.value),
        requests_per_second_max: budgets.requests_per_second_max,
        requests_per_second_per_endpoint_max: budgets.requests_per_second_per_endpoint_max,
        retry_budget: budgets.retry_budget,
        backlog_age_max_ms: budgets.backlog_age_max_ms,
    })
}

fn api_key(section: &Section<'_>, origin: &Origin, mistakes: &mut Mistakes) -> Option<secrets::SecretRef> {
    let setting = section.setting("api_key");
    match section.text("api_key", mistakes) {
        Some(found) => secrets::reference(&found, &setting, mistakes),
        None => {
            if !section.has("api_key") {
                let remedy = "write api_key = \"env:STRIPE_API_KEY\" and set that variable";
                mistakes.add(origin.clone(), &setting, "missing", remedy);
            }
            None
        }
    }
}

/// Scheme, host and port; the requests bring their own paths.
pub(super) fn api_base(
    section: &Section<'_>,
    dialect: Option<Dialect>,
    origin: &Origin,
    mistakes: &mut Mistakes,
) -> Option<String> {
    const EXAMPLES: &str = "\"https://api.stripe.com\" or \"http://127.0.0.1:12111\"";
    let Some(found) = section.text("api_base", mistakes) else {
        let default = dialect?.api_base();
        if default.is_none() && !section.has("api_base") {
            let remedy = "write scheme, host and perhaps a port, as api_base = \"http://127.0.0.1:12111\"";
            mistakes.add(origin.clone(), &section.setting("api_base"), "missing: each rail has its own", remedy);
        }
        return default.map(str::to_owned);
    };
    let base = found.value.trim_end_matches('/');
    let url = reqwest::Url::parse(base).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && (url.path(), url.query(), url.fragment()) == ("/", None, None)
    });
    if url.is_none() {
        let remedy = format!("write scheme, host and perhaps a port, as {EXAMPLES}");
        mistakes.add(found.origin, &section.setting("api_base"), "not the address of a gateway", remedy);
        return None;
    }
    Some(base.to_owned())
}

fn webhooks(section: &Section<'_>, mistakes: &mut Mistakes) -> (Option<String>, Vec<WebhookSecret>) {
    let endpoint = section.text("webhook_endpoint", mistakes);
    let secrets = section.elements("webhook_secrets", mistakes).unwrap_or_default();
    let setting = section.setting("webhook_secrets");
    match (&endpoint, secrets.first()) {
        (Some(endpoint), _) if !is_name(&endpoint.value) => {
            let remedy = "use 1 to 64 of a-z, A-Z, 0-9, `_` and `-`: it is part of the path /webhooks/…";
            let what = "not a name for an endpoint";
            mistakes.add(endpoint.origin.clone(), &section.setting("webhook_endpoint"), what, remedy);
        }
        (Some(endpoint), None) => {
            let remedy = "add webhook_secrets = [\"env:STRIPE_WEBHOOK_SECRET\"]; without one no event can be verified";
            mistakes.add(endpoint.origin.clone(), &setting, "missing while webhook_endpoint is set", remedy);
        }
        (None, Some(entry)) => {
            let remedy = "add webhook_endpoint = \"we_main\", or remove the secrets";
            mistakes.add(entry.origin(), &setting, "secrets for no endpoint", remedy);
        }
        (Some(_), Some(_)) | (None, None) => {}
    }
    let parsed: Vec<_> = secrets.iter().filter_map(|entry| webhook_secret::parse(entry, &setting, mistakes)).collect();
    (endpoint.map(|found| found.value), parsed)
}

/// Where the gateway sends its webhooks, as it is written there. What leads from there to us may rewrite the path.
fn webhook_url(section: &Section<'_>, endpoint: Option<&str>, mistakes: &mut Mistakes) -> Option<String> {
    let found = section.text("webhook_url", mistakes)?;
    let is_address =
        reqwest::Url::parse(&found.value).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let wrong = match (is_address, endpoint) {
        (false, _) => Some((
            "not the address of an endpoint",
            "write it as the gateway has it: \"https://pay.example.com/webhooks/we_main\"",
        )),
        (true, None) => {
            Some(("an address of no endpoint", "add webhook_endpoint = \"we_main\", or remove the address"))
        }
        (true, Some(_)) => None,
    };
    if let Some((what, remedy)) = wrong {
        mistakes.add(found.origin, &section.setting("webhook_url"), what, remedy);
        return None;
    }
    Some(found.value)
}

fn check_backoff(section: &Section<'_>, policy: &Policy, origin: &Origin, mistakes: &mut Mistakes) {
    if policy.backoff_base_ms > policy.backoff_max_ms {
        let what =
            format!("{} is less than backoff_base_ms, which is {}", policy.backoff_max_ms, policy.backoff_base_ms);
        mistakes.add(origin.clone(), &section.setting("backoff_max_ms"), what, "raise it, or lower backoff_base_ms");
    }
}

/// An event has to belong to one gateway.
pub(super) fn check_endpoints(gateways: &BTreeMap<String, Gateway>, mistakes: &mut Mistakes) {
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, gateway) in gateways {
        let Some(endpoint) = &gateway.webhook_endpoint else { continue };
        if let Some(owner) = owners.insert(endpoint, name) {
            let what = format!("`{endpoint}` is the endpoint of gateway `{owner}` already");
            let setting = format!("gateways.{name}.webhook_endpoint");
            mistakes.add(Origin::File, &setting, what, "give each gateway an endpoint of its own");
        }
    }
}
