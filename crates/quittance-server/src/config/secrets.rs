//! Secrets: references in the configuration, values in memory, nothing anywhere else.

use super::errors::{ConfigErrors, Mistakes, Origin};
use super::section::Found;
use super::webhook_secret::{SecretState, WebhookSecret};
use super::{Config, Gateway, HttpApi, System, alerts, encryption, truth};
use quittance_core::tenant::Mode;
use quittance_core::time::Timestamp;
use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::path::PathBuf;

/// Longest secret that is read, in bytes.
const SECRET_BYTES_MAX: u64 = 4_096;

/// How Stripe's secret and restricted keys begin (docs.stripe.com/keys).
const KEY_PREFIXES: [(&str, Mode); 4] =
    [("sk_live_", Mode::Live), ("rk_live_", Mode::Live), ("sk_test_", Mode::Test), ("rk_test_", Mode::Test)];

/// Where a secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretRef {
    pub(super) place: Place,
    pub(super) origin: Origin,
    pub(super) setting: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Variable(String),
    File(PathBuf),
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Variable(name) => write!(f, "env:{name}"),
            Place::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

/// A secret's value. Neither shown nor written anywhere by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl SecretRef {
    /// Where it is written.
    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The setting it is written in.
    pub(super) fn setting(&self) -> &str {
        &self.setting
    }
}

impl Secret {
    /// Wraps a value.
    #[must_use]
    pub const fn new(value: String) -> Self {
        Self(value)
    }

    /// The value, for the one place that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The secrets of every gateway, and of what else is open for as long as the server runs.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    by_gateway: BTreeMap<String, GatewaySecrets>,
    truth_redis: Option<Secret>,
}

#[derive(Clone, Debug)]
struct GatewaySecrets {
    api_key: Secret,
    webhook: Vec<(WebhookSecret, Secret)>,
}

impl Secrets {
    /// The credential of a gateway.
    #[must_use]
    pub fn api_key(&self, gateway: &str) -> Option<&Secret> {
        self.by_gateway.get(gateway).map(|secrets| &secrets.api_key)
    }

    /// Where the Redis is in which answers of believed systems are shared.
    #[must_use]
    pub fn truth_redis(&self) -> Option<&Secret> {
        self.truth_redis.as_ref()
    }

    /// Whose money a gateway moves, as its credential begins: that of live or of test tenants. None where it begins
    /// otherwise.
    #[must_use]
    pub fn gateway_mode(&self, gateway: &str) -> Option<Mode> {
        let key = self.api_key(gateway)?.expose();
        let begins_with = |(prefix, _): &&(&str, Mode)| key.starts_with(prefix);
        KEY_PREFIXES.iter().find(begins_with).map(|(_, mode)| *mode)
    }

    /// The secrets of a gateway's webhook endpoint that are accepted at this time, each with its name, in the order of
    /// the configuration.
    #[must_use]
    pub fn webhook_secrets(&self, gateway: &str, now: Timestamp) -> Vec<(String, &Secret)> {
        let known = self.by_gateway.get(gateway).map_or(&[][..], |secrets| &secrets.webhook);
        let accepted = known.iter().filter(|(entry, _)| entry.is_accepted(now));
        accepted.map(|(entry, secret)| (entry.to_string(), secret)).collect()
    }
}

/// Reads a reference. A literal is refused without being repeated.
pub(super) fn reference(found: &Found<String>, setting: &str, mistakes: &mut Mistakes) -> Option<SecretRef> {
    let place = match found.value.split_once(':') {
        Some(("env", name)) if is_variable_name(name) => Place::Variable(name.to_owned()),
        Some(("file", path)) if !path.is_empty() => Place::File(PathBuf::from(path)),
        _ => {
            let what = "not a reference to a secret (what is there is not shown)";
            let remedy = "write \"env:NAME\" (capital letters, digits, `_`) or \"file:PATH\": a configuration is copied and committed, a secret must not be";
            mistakes.add(found.origin.clone(), setting, what, remedy);
            return None;
        }
    };
    Some(SecretRef { place, origin: found.origin.clone(), setting: setting.to_owned() })
}

/// What a word of the command line leads to, or is.
pub(super) fn at(text: &str, setting: &str) -> Result<Secret, ConfigErrors> {
    if !text.starts_with("env:") && !text.starts_with("file:") {
        return Ok(Secret::new(text.to_owned()));
    }
    let mut mistakes = Mistakes::default();
    let found = Found { value: text.to_owned(), origin: Origin::File };
    let secret = reference(&found, setting, &mut mistakes).and_then(|place| value(&place, &ambient, &mut mistakes));
    mistakes.into_result(secret.unwrap_or_else(|| Secret::new(String::new())), None)
}

fn is_variable_name(name: &str) -> bool {
    // Keys of gateways are of this shape too, but never without a lower-case letter.
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

/// Reads what a reference leads to: the value, or what is wrong with it.
pub(super) type Fetch<'a> = dyn Fn(&SecretRef) -> Result<String, String> + 'a;

/// Fetches from the process's environment and from files.
pub(super) fn ambient(reference: &SecretRef) -> Result<String, String> {
    match &reference.place {
        Place::Variable(name) => super::parse::variable(name).ok_or_else(|| "the variable is not set".to_owned()),
        Place::File(path) => {
            let mut text = String::new();
            let file = std::fs::File::open(path).map_err(|error| format!("the file cannot be opened ({error})"))?;
            file.take(SECRET_BYTES_MAX + 1)
                .read_to_string(&mut text)
                .map_err(|error| format!("the file cannot be read ({error})"))?;
            Ok(text)
        }
    }
}

/// Fetches every secret of a configuration.
pub(super) fn resolve(config: &Config, fetch: &Fetch<'_>) -> Result<Secrets, ConfigErrors> {
    let mut mistakes = Mistakes::default();
    let mut by_gateway = BTreeMap::new();
    for (name, gateway) in &config.gateways {
        if let Some(secrets) = resolve_gateway(gateway, fetch, &mut mistakes) {
            by_gateway.insert(name.clone(), secrets);
        }
    }
    encryption::resolve(&config.encryption, fetch, &mut mistakes);
    for channel in config.alerts.values() {
        alerts::resolve(channel, fetch, &mut mistakes);
    }
    let truth_redis = truth::resolve(&config.truths, fetch, &mut mistakes);
    mistakes.into_result(Secrets { by_gateway, truth_redis }, config.file.clone())
}

/// Fetches the secret of a system.
pub(super) fn of_system(config: &Config, system: &System, fetch: &Fetch<'_>) -> Result<Option<Secret>, ConfigErrors> {
    let mut mistakes = Mistakes::default();
    let secret = match system {
        System::Postgres { url: reference, .. } | System::Stripe { api_key: reference, .. } => {
            value(reference, fetch, &mut mistakes)
        }
        System::Http(api) => api.auth.token().and_then(|reference| value(reference, fetch, &mut mistakes)),
        System::Sqlite { .. } | System::Csv { .. } | System::Ledger { .. } => None,
    };
    mistakes.into_result(secret, config.file.clone())
}

/// Fetches what a system is written by.
pub(super) fn of_writer(config: &Config, system: &System, fetch: &Fetch<'_>) -> Result<Option<Secret>, ConfigErrors> {
    let mut mistakes = Mistakes::default();
    let secret = match system {
        System::Postgres { write_url: Some(reference), .. }
        | System::Stripe { write_api_key: Some(reference), .. }
        | System::Http(HttpApi { write_token: Some(reference), .. }) => value(reference, fetch, &mut mistakes),
        _ => None,
    };
    mistakes.into_result(secret, config.file.clone())
}

fn resolve_gateway(gateway: &Gateway, fetch: &Fetch<'_>, mistakes: &mut Mistakes) -> Option<GatewaySecrets> {
    let api_key = value(&gateway.api_key, fetch, mistakes);
    let known = gateway.webhook_secrets.iter().filter(|entry| entry.state != SecretState::Revoked);
    let mut resolve = |entry: &WebhookSecret| Some((entry.clone(), value(&entry.reference, fetch, mistakes)?));
    let webhook: Vec<_> = known.map(&mut resolve).collect();
    Some(GatewaySecrets { api_key: api_key?, webhook: webhook.into_iter().collect::<Option<_>>()? })
}

pub(super) fn value(reference: &SecretRef, fetch: &Fetch<'_>, mistakes: &mut Mistakes) -> Option<Secret> {
    let problem = match fetch(reference) {
        Ok(text) => match text.trim() {
            "" => "it is empty".to_owned(),
            value if value.len() as u64 > SECRET_BYTES_MAX => format!("it is longer than {SECRET_BYTES_MAX} bytes"),
            value if value.bytes().all(|byte| byte.is_ascii_graphic()) => return Some(Secret(value.to_owned())),
            _ => "it holds a space or a character that no header can carry".to_owned(),
        },
        Err(problem) => problem,
    };
    let remedy = match reference.place {
        Place::Variable(_) => "set the variable where the server is started",
        Place::File(_) => "put the secret alone into the file and make it readable for the server",
    };
    mistakes.add(reference.origin.clone(), &reference.setting, format!("no secret at {reference}: {problem}"), remedy);
    None
}
