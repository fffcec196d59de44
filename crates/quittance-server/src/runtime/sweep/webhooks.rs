//! Whether webhooks come: what the log lists is looked up in the inbox once its webhook has had time to come.

use super::endpoint::Looking;
use super::{Interrupted, Pace, Sweeper};
use crate::api::rows;
use crate::clock;
use quittance_connectors::event::Event;
use quittance_store::records::{Corrupt, Entity, InboxEntry, Sweep};
use quittance_store::value::Row;
use std::collections::BTreeMap;

/// Events that are looked up at once.
const LOOKUPS_MAX: usize = 500;

impl Sweeper<'_> {
    /// Judges which webhooks did not come, and looks at the endpoint. What cannot be read now is judged the next time.
    pub(super) async fn listen(&self, pace: Pace, looking: &mut Looking) {
        let Some(config) = self.handle.config().gateways.get(&self.gateway.name) else { return };
        if config.webhook_endpoint.is_none() {
            return;
        }
        if let Err(error) = self.judge_webhooks(config.webhook_grace_s * 1_000).await {
            tracing::warn!(gateway = self.gateway.name, %error, "which webhooks came cannot be read");
        }
        if let Some(url) = &config.webhook_url {
            self.look_at_endpoint(url, pace, looking).await;
        }
    }

    /// Notes what a page of the log lists, beside what the inbox has of it.
    pub(super) fn note_listed(&self, events: &[(Event, Vec<u8>)], known: &[Option<Row>]) {
        let has_endpoint = self
            .handle
            .config()
            .gateways
            .get(&self.gateway.name)
            .is_some_and(|config| config.webhook_endpoint.is_some());
        if !has_endpoint {
            return;
        }
        let now = clock::now();
        for ((event, _), row) in events.iter().zip(known) {
            match row.as_ref().map(InboxEntry::from_row).transpose() {
                Ok(entry) => self.gateway.hearing.listed(event, entry.as_ref(), now),
                Err(error) => self.unreadable(&error),
            }
        }
    }

    async fn judge_webhooks(&self, grace_ms: u64) -> Result<(), Interrupted> {
        let due = self.gateway.hearing.due(grace_ms, clock::now());
        for portion in due.chunks(LOOKUPS_MAX) {
            let place = |id: &String| vec![self.gateway.name.as_str().into(), id.as_str().into()];
            let keys: Vec<_> = portion.iter().map(place).collect();
            let entries = self.handle.read(move |reader| rows::many::<InboxEntry>(reader, &keys)).await?;
            let known: BTreeMap<&str, &InboxEntry> =
                entries.iter().map(|entry| (entry.event.as_str(), entry)).collect();
            portion.iter().for_each(|id| self.gateway.hearing.judge(id, known.get(id.as_str()).copied()));
        }
        if let Some(from) = self.stored(Sweep::EVENTS).await?.created_from {
            self.gateway.hearing.forget(from);
        }
        Ok(())
    }

    fn unreadable(&self, error: &Corrupt) {
        tracing::error!(gateway = self.gateway.name, %error, "a row of the inbox cannot be read");
    }
}
