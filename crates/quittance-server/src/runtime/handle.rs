//! How the HTTP API and the local socket reach the engine and the store.

use super::claims::{Claim, InProgress};
use super::health::Complaint;
use super::hearing::Unheard;
use super::readers::{ReadError, Readers};
use super::shared::Shared;
use super::waiters::Watch;
use crate::alerts::Book;
use crate::caps::Caps;
use crate::clock;
use crate::config::{Config, Secret};
use crate::roles::Roles;
use crate::truth::Truths;
use quittance_connectors::connector::Connector;
use quittance_core::id::{CommandId, TenantId};
use quittance_core::idempotency::Key;
use quittance_core::tenant::Mode;
use quittance_core::time::Timestamp;
use quittance_engine::backlog::Backlog;
use quittance_engine::queue::{Lane, Refusal};
use quittance_engine::submission::{Outcome, Submission};
use quittance_postgres::Risk;
use quittance_store::store::{Reader, StoreError};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// Seconds after which a refused client is asked to come back.
const RETRY_AFTER_S: u64 = 1;

/// A way into the running engine. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    pub(super) shared: Arc<Shared>,
    pub(super) readers: Readers,
}

/// Why a submission has no outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// Too much waits already. Nothing was stored.
    #[error("overloaded, retry after {retry_after_s} s")]
    Overloaded {
        /// When to come back.
        retry_after_s: u64,
    },
    /// The engine has stopped or is stopping. Nothing is known to be stored; the same idempotency key tells later.
    #[error("the engine has stopped")]
    Closed,
}

/// An outcome, and for a command that has no answer yet the way to wait for it.
pub struct Submitted {
    /// What became of it; durable.
    pub outcome: Outcome,
    /// Present for [`Outcome::Accepted`] and [`Outcome::Joined`]. Registered before the engine went on, so that the
    /// answer cannot be missed.
    pub watch: Option<Watch>,
}

/// Whether the server should be sent work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readiness {
    /// Whether the engine takes commands.
    pub takes_commands: bool,
    /// Commands that wait.
    pub queue_depth: usize,
    /// Age of the oldest.
    pub queue_age_ms: u64,
    /// What is wrong with which gateway. The server is ready all the same: effects wait.
    pub degraded: Vec<(String, Complaint)>,
    /// How far behind each gateway was when it was last looked, a second ago at most.
    pub backlog: Vec<(String, Backlog)>,
    /// What the database may lose of what it acknowledges, by how it was set up a minute ago at most, and what is wrong
    /// with the certificate, with channels of alerts, and with the Redis that answers are shared in.
    pub risks: Vec<Risk>,
}

/// What is known of a configured webhook endpoint.
pub struct WebhookEndpoint<'a> {
    /// The gateway whose events come in there.
    pub gateway: &'a str,
    /// Every secret that is accepted now, with its name; none where all are revoked or retired.
    pub secrets: Vec<(String, &'a Secret)>,
    /// How far a signature's time may be from ours, either way; above 0.
    pub tolerance_s: u32,
    /// Whose money the gateway moves; none where its credential does not say.
    pub mode: Option<Mode>,
    /// The gateway's id of the account, where it is configured.
    pub account: Option<&'a str>,
    /// What reads its events.
    pub connector: Arc<dyn Connector>,
}

impl Handle {
    /// Submits a command and waits until it is decided and durable.
    ///
    /// **Effects**: one command. Dropping the future does not take it back.
    ///
    /// # Errors
    ///
    /// [`SubmitError`].
    pub async fn submit(&self, submission: Submission) -> Result<Outcome, SubmitError> {
        self.enqueue(submission, false, None).await.map(|submitted| submitted.outcome)
    }

    /// As [`Handle::submit`], and registers a [`Watch`] where the answer is still to come.
    ///
    /// # Errors
    ///
    /// [`SubmitError`].
    pub async fn submit_and_watch(&self, submission: Submission) -> Result<Submitted, SubmitError> {
        self.enqueue(submission, true, None).await
    }

    /// As [`Handle::submit_and_watch`], under a claim of its key. What clients' commands use.
    pub(crate) async fn submit_claimed(
        &self,
        submission: Submission,
        claim: Option<Claim>,
    ) -> Result<Submitted, SubmitError> {
        self.enqueue(submission, true, claim).await
    }

    /// Claims a key for a request; none where another request under it was just decided.
    pub(crate) async fn claim(&self, tenant: TenantId, key: &Key) -> Result<Option<Claim>, InProgress> {
        self.shared.claims.begin(tenant, key.digest()).await
    }

    async fn enqueue(
        &self,
        submission: Submission,
        is_watched: bool,
        claim: Option<Claim>,
    ) -> Result<Submitted, SubmitError> {
        // A brake has to work above all when too much goes on.
        let lane = if matches!(submission, Submission::SetSwitch(_)) { Lane::Inner } else { Lane::Front };
        let (reply, answer) = oneshot::channel();
        let entry = super::executor::Entry { submission, reply: Some(reply), slot: None, is_watched, claim };
        self.shared.queue.push(lane, entry, self.now()).map_err(|(refusal, _)| match refusal {
            Refusal::Overloaded => {
                crate::metrics::refused();
                SubmitError::Overloaded { retry_after_s: RETRY_AFTER_S }
            }
            Refusal::Closed => SubmitError::Closed,
        })?;
        answer.await.map_err(|_| SubmitError::Closed)
    }

    /// Begins to watch a command that is known by its id from elsewhere (`GET /v1/commands/{id}`).
    ///
    /// Register first, then read the command's row once: an answer that was frozen before the registration is in the
    /// row, one that comes after it reaches the watch. The other order can miss it.
    #[must_use]
    pub fn watch(&self, command: CommandId) -> Watch {
        self.shared.waiters.watch(command)
    }

    /// Waits for the answer of a command: [`Handle::watch`] and [`Watch::answer`] in one. An answer from before the
    /// call is not seen; for commands just submitted use [`Handle::submit_and_watch`].
    pub async fn wait_for(&self, command: CommandId, patience: Duration) -> Option<(u16, Vec<u8>)> {
        self.watch(command).answer(patience).await
    }

    /// Reads committed state on one of the reader threads.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub async fn read<T, F>(&self, read: F) -> Result<T, ReadError>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn Reader) -> Result<T, StoreError> + Send + 'static,
    {
        self.readers.read(read).await
    }

    /// The time, in the wall clock of this machine.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        clock::now()
    }

    /// What each credential has under way here.
    pub(crate) fn caps(&self) -> &Arc<Caps> {
        &self.shared.caps
    }

    /// What is true, by the systems that are believed.
    pub(crate) fn truths(&self) -> &Truths {
        &self.shared.truths
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.shared.config
    }

    /// What this process does.
    #[must_use]
    pub fn roles(&self) -> Roles {
        self.shared.roles
    }

    /// The webhook endpoint of that name.
    #[must_use]
    pub fn webhook_endpoint(&self, name: &str) -> Option<WebhookEndpoint<'_>> {
        let (gateway, config) =
            self.shared.config.gateways.iter().find(|(_, config)| config.webhook_endpoint.as_deref() == Some(name))?;
        let secrets = self.shared.secrets.webhook_secrets(gateway, self.now());
        let (mode, connector) = (self.gateway_mode(gateway), config.dialect.connector());
        let (tolerance_s, account) = (config.webhook_tolerance_s, config.account.as_deref());
        Some(WebhookEndpoint { gateway, secrets, tolerance_s, mode, account, connector })
    }

    /// Notes the API version under which a gateway renders its events: one line in the log for each that is not ours.
    pub(crate) fn note_version(&self, gateway: &str, version: Option<&str>) {
        if let (Some(gateway), Some(version)) = (self.shared.gateways.get(gateway), version) {
            gateway.note_version(version);
        }
    }

    /// Notes that an event about an object came: what pairs knew of it is asked anew.
    pub(crate) fn note_heard(&self, gateway: &str, object: Option<&str>) {
        if let (Some(gateway), Some(object)) = (self.shared.config.gateways.get(gateway), object) {
            self.shared.truths.heard(&gateway.api_base, object);
        }
    }

    /// Whose money a gateway moves: that of live or of test tenants. None where its credential does not say.
    #[must_use]
    pub fn gateway_mode(&self, gateway: &str) -> Option<Mode> {
        self.shared.secrets.gateway_mode(gateway)
    }

    /// Notes what is wrong with the certificate on the disk, or that nothing is.
    pub(crate) fn note_certificate(&self, trouble: Option<String>) {
        crate::metrics::certificate_unusable(trouble.is_some());
        let risk = trouble.map(|what| Risk {
            code: "certificate_unusable",
            what: format!("{what}: the certificate that was read before stays, until it expires"),
            remedy: "put a certificate and its own key in place, in PEM, and send SIGHUP",
            is_grave: false,
        });
        *self.shared.certificate.lock().unwrap_or_else(PoisonError::into_inner) = risk;
    }

    /// What is kept of alerts.
    ///
    /// # Errors
    ///
    /// [`ReadError`] when it cannot be read.
    pub(crate) async fn alerts(&self) -> Result<Book, ReadError> {
        let Some(data) = self.shared.data.get().cloned() else { return Ok(Book::default()) };
        let read = tokio::task::spawn_blocking(move || Book::of(&data));
        read.await.map_err(|_| ReadError::GivenUp)?.map_err(ReadError::Store)
    }

    /// Notes which channels of alerts take no messages, each with why.
    pub(crate) fn note_mute_channels(&self, mute: Vec<(String, String)>) {
        let risk = |(channel, error): (String, String)| Risk {
            code: "alerts_not_taken",
            what: format!("the channel of alerts `{channel}` takes no messages ({error})"),
            remedy: "look at the channel, and try it with `quittance alerts test NAME --apply`",
            is_grave: false,
        };
        *self.shared.mute.lock().unwrap_or_else(PoisonError::into_inner) = mute.into_iter().map(risk).collect();
    }

    /// Whether work should be sent here.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        let (queue_depth, queue_age_ms) = self.shared.queue.backlog(self.now());
        Readiness {
            takes_commands: !self.shared.has_ended(),
            queue_depth,
            queue_age_ms,
            degraded: self.shared.gateways.degraded(),
            backlog: self.shared.gateways.backlog(),
            risks: self.shared.risks(),
        }
    }

    /// Whose webhooks do not come, as far as this process sweeps; and the gateways of which it does not know whether what became wrong
    /// before a time is so still: it has not looked since it began, or another process sweeps them.
    #[must_use]
    pub fn unheard(&self) -> (Vec<(String, Unheard)>, BTreeMap<String, Timestamp>) {
        self.shared.gateways.unheard()
    }

    /// The numbers of this process, in the text format of Prometheus.
    #[must_use]
    pub fn metrics_text(&self) -> String {
        self.shared.report_gauges(self.now());
        crate::metrics::render()
    }
}
