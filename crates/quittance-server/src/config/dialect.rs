//! Which dialect a gateway speaks, and how far what it offers is relied on.

use super::budgets::STRIPE;
use super::errors::{Mistakes, Origin};
use super::section::Section;
use quittance_connectors::connector::Connector;
use quittance_connectors::rail::Rail;
use quittance_connectors::stripe::{Flow, Stripe};
use quittance_core::effect::{Capability, Class, KeyMemory, Policy, Subject};
use quittance_core::id::RefundId;
use quittance_engine::gateways::over_ms;
use std::sync::Arc;

/// Longest span that a setting in seconds takes: a year.
const SPAN_S_MAX: u64 = 366 * 86_400;

/// The dialects that are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Stripe, API v1.
    Stripe(Flow),
    /// A local payment rail.
    Rail,
}

/// Settings that mean nothing to a rail, with the reason.
const NOT_FOR_RAILS: [(&str, &str); 10] = [
    ("flow", "a rail has one flow"),
    ("webhook_endpoint", "a rail sends no webhooks"),
    ("webhook_secrets", "a rail sends no webhooks"),
    ("webhook_tolerance_s", "a rail sends no webhooks"),
    ("webhook_grace_s", "a rail sends no webhooks"),
    ("webhook_url", "a rail sends no webhooks"),
    ("key_window_s", "a rail knows no idempotency keys"),
    ("refunds_class", "a rail gives nothing back"),
    ("action_expiry_s", "a rail asks nobody to authenticate"),
    ("capture_expiry_s", "a rail takes money at once"),
];

impl Dialect {
    /// What speaks it.
    #[must_use]
    pub fn connector(self) -> Arc<dyn Connector> {
        match self {
            Self::Stripe(flow) => Arc::new(Stripe { flow, ..Stripe::default() }),
            Self::Rail => Arc::new(Rail),
        }
    }

    /// Where it is spoken, unless the configuration says so; nothing where everybody has a place of their own.
    pub(super) const fn api_base(self) -> Option<&'static str> {
        match self {
            Self::Stripe(_) => Some(STRIPE),
            Self::Rail => None,
        }
    }

    /// Whether it tells of what happens unasked.
    pub(super) const fn sends_webhooks(self) -> bool {
        match self {
            Self::Stripe(_) => true,
            Self::Rail => false,
        }
    }

    /// What the gateway offers, as its documentation has it. An operation that it does not offer is never asked for, so
    /// that its row does not matter.
    fn offers(self) -> (Capability, Capability) {
        let connector = self.connector();
        let payments = connector.capability(Subject::Payment).unwrap_or(Policy::default().payments);
        let refunds = connector.capability(Subject::Refund(RefundId::from_bytes([0; 16])));
        (payments, refunds.unwrap_or(payments))
    }
}

/// The dialect of a gateway's table; nothing when it names none.
pub(super) fn parse(section: &Section<'_>, origin: &Origin, mistakes: &mut Mistakes) -> Option<Dialect> {
    let Some(kind) = section.text("kind", mistakes) else {
        if !section.has("kind") {
            let remedy = "write kind = \"stripe\" or \"rail\"";
            mistakes.add(origin.clone(), &section.setting("kind"), "missing", remedy);
        }
        return None;
    };
    match kind.value.as_str() {
        "stripe" => flow(section, mistakes).map(Dialect::Stripe),
        "rail" => {
            refuse_for_rails(section, mistakes);
            Some(Dialect::Rail)
        }
        _ => {
            flow(section, mistakes);
            let what = "this kind of gateway is not served by this version";
            mistakes.add(kind.origin, &section.setting("kind"), what, "write \"stripe\" or \"rail\"");
            None
        }
    }
}

/// What means nothing is refused: it would be taken for a promise.
fn refuse_for_rails(section: &Section<'_>, mistakes: &mut Mistakes) {
    for (key, what) in NOT_FOR_RAILS {
        if let Some(origin) = section.origin_of(key) {
            mistakes.add(origin, &section.setting(key), what, "remove it");
        }
    }
}

fn flow(section: &Section<'_>, mistakes: &mut Mistakes) -> Option<Flow> {
    let Some(found) = section.text("flow", mistakes) else { return Some(Flow::default()) };
    let flow = Flow::from_name(&found.value);
    if flow.is_none() {
        let remedy = "write \"payment_intents\" or \"charges\"";
        mistakes.add(found.origin, &section.setting("flow"), "not a flow of Stripe", remedy);
    }
    flow
}

/// What the gateway offers for payments and for refunds, with the settings that say otherwise.
///
/// A send counts from its ticket, and its bytes may leave until it has to be over: only then does the quiescence begin.
pub(super) fn capabilities(
    section: &Section<'_>,
    dialect: Option<Dialect>,
    (timeout_ms, lease_ms): (u64, u64),
    mistakes: &mut Mistakes,
) -> (Capability, Capability) {
    let (payments, refunds) = dialect.unwrap_or(Dialect::Stripe(Flow::default())).offers();
    let window_s = |offered: &Capability| offered.key.map_or(0, |key| key.window_ms / 1_000);
    // Longer than a day would be a promise that Stripe does not make: keys are kept "at least 24 hours".
    let key_s = section.number("key_window_s", window_s(&refunds).max(1), 1..=86_400 - 3_600, mistakes).value;
    let quiet_s = section.number("quiescence_s", refunds.quiescence_ms / 1_000, 0..=SPAN_S_MAX, mistakes).value;
    let default = refunds.quiescence_after_error_ms / 1_000;
    let quiet_after_error_s = section.number("quiescence_after_error_s", default, 0..=SPAN_S_MAX, mistakes).value;
    let over_ms = over_ms(timeout_ms, lease_ms);
    let set = |offered: Capability| Capability {
        key: offered.key.map(|key| KeyMemory { window_ms: key_s * 1_000, ..key }),
        quiescence_ms: over_ms + quiet_s * 1_000,
        quiescence_after_error_ms: over_ms + quiet_after_error_s * 1_000,
        ..offered
    };
    let payments = limited(section, "payments_class", set(payments), mistakes);
    (payments, limited(section, "refunds_class", set(refunds), mistakes))
}

/// A gateway is relied on for what it offers, or for less.
fn limited(section: &Section<'_>, key: &str, offered: Capability, mistakes: &mut Mistakes) -> Capability {
    let Some(found) = section.text(key, mistakes) else { return offered };
    let limited = Class::from_name(&found.value).map(|class| (class, offered.limited_to(class)));
    match limited {
        Some((class, limited)) if limited.class() == class && (!offered.is_two_phase || class == Class::P) => limited,
        // Without its reading back the first phase would be one that nobody can look at, and each payment a review.
        _ if offered.is_two_phase => {
            let what = "payment intents are made in two phases, which is class P and no other";
            mistakes.add(found.origin, &section.setting(key), what, "remove it, or write flow = \"charges\"");
            offered
        }
        _ => {
            let what = format!("not within what this gateway offers, which is class {}", offered.class().name());
            let remedy = format!("write {}, or leave it out", classes_within(offered));
            mistakes.add(found.origin, &section.setting(key), what, remedy);
            offered
        }
    }
}

/// The classes that a gateway can be relied on as, in words.
fn classes_within(offered: Capability) -> String {
    let within = Class::ALL.into_iter().filter(|class| offered.limited_to(*class).class() == *class);
    let mut words: Vec<_> = within.map(|class| format!("\"{}\"", class.name())).collect();
    let last = words.pop().unwrap_or_default();
    if words.is_empty() { last } else { format!("{} or {last}", words.join(", ")) }
}
