//! The configuration: what it may say, with defaults.
//!
//! Owns the reading of `quittance.toml`, its environment overrides and the secrets it refers to. Every mistake is
//! reported with its line and its remedy, all of them at once. Does not own what the values are used for.

mod alerts;
mod brakes;
mod budgets;
mod dialect;
mod encryption;
mod errors;
mod front;
mod gateway;
mod pairs;
mod parse;
mod secrets;
mod section;
mod span;
mod systems;
mod truth;
mod webhook_secret;

pub use alerts::{Channel, ChannelSecrets, MailTls, Smtp, Way};
pub use dialect::Dialect;
pub use encryption::MasterKeyRef;
pub use errors::{ConfigErrors, Mistake, Origin};
pub use front::{Front, TlsFiles};
pub use pairs::{
    Apply, ColumnRef, CountPair, FieldPair, NotFound, OnRepair, Pair, Repairs, Service, SideRef, Step, Strategy,
    TAKES_AWAY, TakeAway, Triggers, Truth, TruthPolicy,
};
pub use secrets::{Secret, SecretRef, Secrets};
pub use systems::{Auth, HttpApi, HttpObject, System};
pub use truth::{TruthCache, Truths};
pub use webhook_secret::{SecretState, WebhookSecret};

use crate::caps;
use quittance_core::effect::Policy;
use quittance_engine::brakes::Brakes;
use quittance_engine::budget;
use quittance_engine::gateways::Leases;
use quittance_engine::looks::Looks;
use quittance_store::seal::Keyring;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The secret that `env:NAME` or `file:PATH` leads to; anything else is the secret itself. `setting` is named where it leads
/// nowhere.
///
/// # Errors
///
/// [`ConfigErrors`] with what is wrong about the reference.
pub fn secret_at(text: &str, setting: &str) -> Result<Secret, ConfigErrors> {
    secrets::at(text, setting)
}

/// What to write instead of a name that is not known.
pub(crate) fn closest(name: &str, known: &[&str]) -> String {
    section::closest(name, known)
}

/// Name of the file that is looked for when none is given.
pub const DEFAULT_FILE: &str = "quittance.toml";

/// How long a lease must outlive a request; see the limits of the architecture. A lease that is shorter than twice this
/// outlives it by half of itself.
pub const LEASE_MARGIN_MS: u64 = 5_000;

/// The longest that a request to a gateway may take under leases of this length.
const fn timeout_ms_max(lease_ms: u64) -> u64 {
    let half = lease_ms / 2;
    lease_ms - if half < LEASE_MARGIN_MS { half } else { LEASE_MARGIN_MS }
}

/// A whole configuration, checked.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The server.
    pub server: Server,
    /// Gateways by the names that payments use.
    pub gateways: BTreeMap<String, Gateway>,
    /// Keys under which stored secrets and bodies are encrypted; the first one seals. None: they are stored plain.
    pub encryption: Vec<MasterKeyRef>,
    /// Limits of tenants.
    pub brakes: Brakes,
    /// Outgoing events.
    pub webhooks: Webhooks,
    /// Systems that can be compared.
    pub systems: BTreeMap<String, System>,
    /// Pairs of them that should agree.
    pub pairs: BTreeMap<String, Pair>,
    /// Where what is asked of them is remembered.
    pub truths: Truths,
    /// Where operators are told what is wrong.
    pub alerts: BTreeMap<String, Channel>,
    /// Where it was read from, if from a file.
    pub file: Option<PathBuf>,
}

/// What the server listens on, and its limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Where HTTP is served.
    pub listen: SocketAddr,
    /// How long a request waits for its outcome unless it says otherwise.
    pub wait_ms: u64,
    /// Longest wait that a request may ask for (`Prefer: wait=N`).
    pub wait_max_ms: u64,
    /// Longest request body, in bytes.
    pub body_bytes_max: usize,
    /// Commands that may wait for the engine.
    pub queue_entries_max: usize,
    /// Age of the oldest waiting command at which new ones are refused.
    pub queue_age_max_ms: u64,
    /// HTTP connections at once.
    pub connections_max: usize,
    /// How each of them is kept.
    pub front: Front,
    /// How long what this process claimed is its own; where several share the books, how long the others leave alone
    /// what a dead one held.
    pub lease_ms: u64,
    /// Lanes, each with a connection of its own, that decide at the same time where the books lie in PostgreSQL; without it,
    /// one. A data directory has one.
    pub lanes: Option<usize>,
    /// What each API key may ask of one process: `requests_per_key_max` (1,000) under way at once, and
    /// `requests_per_key_per_second_max` (2,000; 0 for as many as there are).
    pub caps: caps::Limits,
}

impl Default for Server {
    /// The limits of the architecture.
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            wait_ms: 10_000,
            wait_max_ms: 60_000,
            body_bytes_max: 1024 * 1024,
            queue_entries_max: 10_000,
            queue_age_max_ms: 2_000,
            connections_max: 4_096,
            front: Front::of(4_096),
            lease_ms: Leases::default().lease_ms,
            lanes: None,
            caps: caps::Limits { in_flight_max: 1_000, per_second_max: Some(2_000) },
        }
    }
}

/// How events are sent to tenants' endpoints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Webhooks {
    /// Whether addresses that are not public are sent to as well: whoever may make endpoints then reaches this network.
    pub allow_private_addresses: bool,
}

/// One gateway.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// How it is spoken to.
    pub dialect: Dialect,
    /// The credential.
    pub api_key: SecretRef,
    /// Scheme, host and port, without a trailing slash (`https://api.stripe.com`).
    pub api_base: String,
    /// Name under which its events come in: `POST /webhooks/{webhook_endpoint}`.
    pub webhook_endpoint: Option<String>,
    /// Every secret of that endpoint, and how far it is trusted.
    pub webhook_secrets: Vec<WebhookSecret>,
    /// How far a signature's time may be from ours, either way.
    pub webhook_tolerance_s: u32,
    /// How long after its log has listed an event its webhook may take, before the event counts as missed.
    pub webhook_grace_s: u64,
    /// Where the gateway sends them, as it is written there: what it says of that endpoint is looked at.
    pub webhook_url: Option<String>,
    /// How long a request may take; 500 at least.
    pub timeout_ms: u64,
    /// Requests under way at once, at most. Beside them a quarter as many are kept for reading back what is unknown.
    pub in_flight_max: usize,
    /// What it offers, and how patient we are with it.
    pub policy: Policy,
    /// When its objects are looked at again.
    pub looks: Looks,
    /// Between two sweeps of its log of events.
    pub sweep_every_s: u64,
    /// Between two sweeps of its lists of objects.
    pub object_sweep_every_s: u64,
    /// The gateway's id of the account (`acct_…`); events that name another one are refused.
    pub account: Option<String>,
    /// Requests to its account in a second, at most; a quarter of them is kept for reading back. 0 for as many as there
    /// are, none for the default: at api.stripe.com what Stripe allows (100 with a live key, 25 with a test key),
    /// elsewhere no limit.
    pub requests_per_second_max: Option<u32>,
    /// Requests to one endpoint in a second, at most; 0 and none as above, where Stripe allows 25.
    pub requests_per_second_per_endpoint_max: Option<u32>,
    /// How much may be sent again: `retry_budget_percent` of the sends that were answered (10), and
    /// `retries_per_second_min` in any case (10). Over it retries wait; first sends and reads do not.
    pub retry_budget: budget::Limits,
    /// Age of the oldest payment that waits to be sent at which new ones are refused with 503 (600,000); written as 0,
    /// here none, for however old. While a gateway is paused nothing is refused.
    pub backlog_age_max_ms: Option<u64>,
}

impl Config {
    /// Reads a file, or `quittance.toml` where that exists, or nothing but defaults; then the environment, whose
    /// variables (`QUITTANCE_SERVER__LISTEN`, `QUITTANCE_GATEWAYS__STRIPE__API_BASE`) win.
    ///
    /// # Errors
    ///
    /// [`ConfigErrors`] with every mistake; a file that was named and cannot be read is one.
    pub fn load(path: Option<&Path>) -> Result<Self, ConfigErrors> {
        parse::load(path)
    }

    /// As [`Config::load`], over a text and an environment of the caller's. A gateway has to be named in the text for
    /// its variables to be looked up.
    ///
    /// # Errors
    ///
    /// [`ConfigErrors`] with every mistake.
    pub fn from_text(text: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigErrors> {
        parse::from_text(text, env)
    }

    /// Fetches the keys under which what is stored is encrypted; none where there are none.
    ///
    /// # Errors
    ///
    /// [`ConfigErrors`] with every reference that leads to no key.
    pub fn keyring(&self) -> Result<Option<Arc<Keyring>>, ConfigErrors> {
        encryption::keyring(&self.encryption, self.file.clone(), &secrets::ambient)
    }

    /// Reads a file as [`Config::load`] does for its keys alone: what else may be wrong with it keeps nobody from the data.
    ///
    /// # Errors
    ///
    /// [`ConfigErrors`] with every mistake about the keys; a file that was named and cannot be read is one.
    pub fn keyring_of(path: Option<&Path>) -> Result<Option<Arc<Keyring>>, ConfigErrors> {
        parse::load_keys(path)?.keyring()
    }

    /// Fetches the one secret of a system; none where it has none.
    ///
    /// # Errors
    ///
    /// [`ConfigErrors`] when its reference leads nowhere.
    pub fn system_secret(&self, system: &System) -> Result<Option<Secret>, ConfigErrors> {
        secrets::of_system(self, system, &secrets::ambient)
    }

    /// Fetches the one secret by which a system is written; none where it has none.
    ///
    /// # Errors
    ///
    /// [`ConfigErrors`] when its reference leads nowhere.
    pub fn write_secret(&self, system: &System) -> Result<Option<Secret>, ConfigErrors> {
        secrets::of_writer(self, system, &secrets::ambient)
    }

    /// Fetches the secrets of a channel of alerts.
    ///
    /// # Errors
    ///
    /// [`ConfigErrors`] when a reference leads nowhere, or to what cannot be it.
    pub fn channel_secrets(&self, channel: &Channel) -> Result<ChannelSecrets, ConfigErrors> {
        alerts::secrets_of(self, channel, &secrets::ambient)
    }

    /// Fetches every secret that is referred to, from the environment and from files.
    ///
    /// # Errors
    ///
    /// [`ConfigErrors`] with every reference that leads nowhere.
    pub fn resolve_secrets(&self) -> Result<Secrets, ConfigErrors> {
        secrets::resolve(self, &secrets::ambient)
    }
}
