//! Channels to which operators are told what is wrong: `[alerts.NAME]`.
//!
//! Whether a channel can be reached is known when something is sent to it.

mod smtp;

pub use smtp::{MailTls, Smtp};

use super::errors::Mistakes;
use super::secrets::{self, Fetch, Secret, SecretRef};
use super::section::{Found, Section, closest};
use super::{Config, ConfigErrors, gateway};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use quittance_core::alert::{Kind, Rules, Severity, channel_subject, gateway_subject};
use std::collections::BTreeMap;

/// Most channels: each message is kept for each of them.
const CHANNELS_MAX: usize = 16;

/// Where alerts are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// What it is, and how it is reached.
    pub way: Way,
    /// What it is told, and when.
    pub rules: Rules,
}

/// How a channel is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// An incoming webhook of Slack, or of what takes the same (Mattermost, Rocket.Chat).
    Slack {
        /// Its address, which is the credential.
        url: SecretRef,
    },
    /// Anything that takes events over HTTP.
    Webhook {
        /// Its address, which may hold a credential.
        url: SecretRef,
        /// What messages are signed with (Standard Webhooks); without it they are not signed.
        secret: Option<SecretRef>,
    },
    /// E-mail.
    Smtp(Smtp),
}

impl Way {
    /// Its kind, as it is configured.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Slack { .. } => "slack",
            Self::Webhook { .. } => "webhook",
            Self::Smtp(_) => "smtp",
        }
    }
}

/// The secrets of a channel.
#[derive(Clone, Debug, Default)]
pub struct ChannelSecrets {
    /// Its address.
    pub url: Option<Secret>,
    /// What messages are signed with.
    pub key: Option<Vec<u8>>,
    /// The password.
    pub password: Option<Secret>,
}

const KINDS: [&str; 3] = ["slack", "webhook", "smtp"];

const RULES: [&str; 7] = ["kind", "on", "severity_min", "subjects", "delay", "repeat_every", "min_gap"];

/// Longest span: 30 days.
const SPAN_MS_MAX: u64 = 30 * 24 * 3_600_000;

/// Until something is told again, where the configuration does not say: 4 hours.
const REPEAT_MS: u64 = 4 * 3_600_000;

/// Between two messages about the same, where the configuration does not say: 5 minutes.
const GAP_MS: u64 = 5 * 60_000;

/// Bytes of a key that is long enough to sign with, and no longer than Standard Webhooks allows.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// Reads every channel.
pub(super) fn parse(tables: Vec<(String, Section<'_>)>, mistakes: &mut Mistakes) -> BTreeMap<String, Channel> {
    let mut channels = BTreeMap::new();
    for (name, section) in tables {
        gateway::check_name(&name, &section.name, &section.origin(), mistakes);
        if channels.len() == CHANNELS_MAX {
            let what = format!("more than {CHANNELS_MAX} channels");
            mistakes.add(section.origin(), &section.name, what, "let one of them pass messages on");
            break;
        }
        let rules = rules(&name, &section, mistakes);
        if let Some(way) = way(&section, mistakes) {
            channels.insert(name, Channel { way, rules });
        }
    }
    channels
}

/// Refuses subjects that nothing is named by.
pub(super) fn check_subjects(config: &Config, tables: Vec<(String, Section<'_>)>, mistakes: &mut Mistakes) {
    let gateways = config.gateways.keys().map(|name| gateway_subject(name));
    let channels = config.alerts.keys().map(|name| channel_subject(name));
    let names: Vec<String> = config.pairs.keys().cloned().chain(gateways).chain(channels).collect();
    let known: Vec<&str> = names.iter().map(String::as_str).collect();
    for (_, section) in tables {
        // What is no list of texts was said to be none before.
        for found in section.texts("subjects", &mut Mistakes::default()).into_iter().flatten() {
            if !known.contains(&found.value.as_str()) {
                let what = "no pair is called so, and no gateway (`gateways.NAME`) or channel (`alerts.NAME`)";
                mistakes.add(found.origin, &section.setting("subjects"), what, closest(&found.value, &known));
            }
        }
    }
}

fn way(section: &Section<'_>, mistakes: &mut Mistakes) -> Option<Way> {
    let Some(kind) = section.text("kind", mistakes) else {
        let remedy = format!("add kind = \"slack\"; known are {}", KINDS.join(", "));
        mistakes.add(section.origin(), &section.setting("kind"), "missing", remedy);
        return None;
    };
    let mut refuse_unknown = |own: &[&str]| section.refuse_unknown(&[&RULES[..], own].concat(), mistakes);
    match kind.value.as_str() {
        "slack" => {
            refuse_unknown(&["url"]);
            Some(Way::Slack { url: url(section, mistakes)? })
        }
        "webhook" => {
            refuse_unknown(&["url", "secret"]);
            let found = section.text("secret", mistakes);
            let secret = found.and_then(|found| secrets::reference(&found, &section.setting("secret"), mistakes));
            Some(Way::Webhook { url: url(section, mistakes)?, secret })
        }
        "smtp" => {
            refuse_unknown(&smtp::KEYS);
            smtp::parse(section, mistakes).map(Way::Smtp)
        }
        _ => {
            let remedy = closest(&kind.value, &KINDS);
            mistakes.add(kind.origin, &section.setting("kind"), "not a kind of channel", remedy);
            None
        }
    }
}

fn url(section: &Section<'_>, mistakes: &mut Mistakes) -> Option<SecretRef> {
    let Some(found) = section.text("url", mistakes) else {
        if !section.has("url") {
            let remedy =
                "add url = \"env:ALERTS_URL\"; the address is a credential, so it stands in a variable or a file";
            mistakes.add(section.origin(), &section.setting("url"), "missing", remedy);
        }
        return None;
    };
    secrets::reference(&found, &section.setting("url"), mistakes)
}

fn rules(name: &str, section: &Section<'_>, mistakes: &mut Mistakes) -> Rules {
    let words = |all: &[&'static str], found: &Found<String>, key: &str, mistakes: &mut Mistakes| {
        mistakes.add(found.origin.clone(), &section.setting(key), "not a known word", closest(&found.value, all));
    };
    let mut kinds = Vec::new();
    for found in section.texts("on", mistakes).into_iter().flatten() {
        match Kind::named(&found.value) {
            Some(kind) => kinds.push(kind),
            None => words(&Kind::ALL.map(Kind::name), &found, "on", mistakes),
        }
    }
    if let Some(origin) = section.origin_of("on").filter(|_| kinds.is_empty()) {
        mistakes.add(origin, &section.setting("on"), "names no kind", "name at least one, or leave it out for all");
    }
    let mut severity_min = Severity::Info;
    if let Some(found) = section.text("severity_min", mistakes) {
        match Severity::named(&found.value) {
            Some(severity) => severity_min = severity,
            None => words(&Severity::ALL.map(Severity::name), &found, "severity_min", mistakes),
        }
    }
    let subjects = section.texts("subjects", mistakes).into_iter().flatten();
    let subjects = subjects.map(|found| found.value).collect();
    let mut ms = |key: &str, default_ms: u64| {
        let span = section.span(key, 0..=SPAN_MS_MAX, mistakes);
        span.map_or(default_ms, |span| u64::try_from(span.as_millis()).unwrap_or(SPAN_MS_MAX))
    };
    let (repeat_ms, delay_ms, gap_ms) = (ms("repeat_every", REPEAT_MS), ms("delay", 0), ms("min_gap", GAP_MS));
    Rules {
        channel: name.to_owned(),
        kinds: if kinds.is_empty() { Kind::ALL.to_vec() } else { kinds },
        severity_min,
        subjects,
        delay_ms,
        repeat_ms: (repeat_ms > 0).then_some(repeat_ms),
        gap_ms,
    }
}

/// Fetches the secrets of a channel.
pub(super) fn secrets_of(
    config: &Config,
    channel: &Channel,
    fetch: &Fetch<'_>,
) -> Result<ChannelSecrets, ConfigErrors> {
    let mut mistakes = Mistakes::default();
    let secrets = resolve(channel, fetch, &mut mistakes);
    mistakes.into_result(secrets, config.file.clone())
}

/// As [`secrets_of`], with the mistakes of others.
pub(super) fn resolve(channel: &Channel, fetch: &Fetch<'_>, mistakes: &mut Mistakes) -> ChannelSecrets {
    let mut secrets = ChannelSecrets::default();
    match &channel.way {
        Way::Slack { url } => secrets.url = address(url, fetch, mistakes),
        Way::Webhook { url, secret } => {
            secrets.url = address(url, fetch, mistakes);
            secrets.key = secret.as_ref().and_then(|secret| signing_key(secret, fetch, mistakes));
        }
        Way::Smtp(smtp) => {
            let password = smtp.login.as_ref().map(|(_, password)| password);
            secrets.password = password.and_then(|reference| secrets::value(reference, fetch, mistakes));
        }
    }
    secrets
}

fn address(reference: &SecretRef, fetch: &Fetch<'_>, mistakes: &mut Mistakes) -> Option<Secret> {
    let secret = secrets::value(reference, fetch, mistakes)?;
    let parsed = reqwest::Url::parse(secret.expose()).ok();
    let is_web = parsed.is_some_and(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some());
    if !is_web {
        let what = format!("what is at {reference} is no address of the web (it is not shown)");
        let remedy = "put an address there that begins with https:// or http://";
        mistakes.add(reference.origin().clone(), reference.setting(), what, remedy);
    }
    is_web.then_some(secret)
}

fn signing_key(reference: &SecretRef, fetch: &Fetch<'_>, mistakes: &mut Mistakes) -> Option<Vec<u8>> {
    let secret = secrets::value(reference, fetch, mistakes)?;
    let encoded = secret.expose().strip_prefix("whsec_");
    let key = encoded.and_then(|encoded| STANDARD.decode(encoded).ok()).filter(|key| KEY_BYTES.contains(&key.len()));
    if key.is_none() {
        let what = format!("what is at {reference} is no signing secret (it is not shown)");
        let remedy = "put `whsec_` and the Base64 of 24 to 64 random bytes there";
        mistakes.add(reference.origin().clone(), reference.setting(), what, remedy);
    }
    key
}

#[cfg(test)]
mod tests;
