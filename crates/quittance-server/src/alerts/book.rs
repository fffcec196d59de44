//! All that is kept of alerts, read at once: it is little.

use crate::api::rows;
use crate::data::Data;
use quittance_core::alert::{Alert, Silence};
use quittance_store::records::{AlertChannel, Entity, Notice};
use quittance_store::store::{Reader, Scan, StoreError};
use quittance_store::value::Key;
use std::collections::BTreeMap;

/// Rows that are read at once.
const PAGE: usize = 1_000;

/// What is wrong, what nobody wants to hear of, and what was told.
#[derive(Clone, Debug, Default)]
pub struct Book {
    /// What is wrong, or was, by subject and kind.
    pub alerts: Vec<Alert>,
    /// What nobody wants to be told of; also what has ended.
    pub silences: Vec<Silence>,
    /// How far each channel has come.
    pub channels: Vec<AlertChannel>,
    /// The newest message of each channel.
    pub newest: BTreeMap<String, Notice>,
}

impl Book {
    /// That of an installation; nothing where nothing ever was kept.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it cannot be read.
    pub fn of(data: &Data) -> Result<Self, StoreError> {
        match data.runs().open_reader().and_then(|mut reader| Self::read(reader.as_mut())) {
            Err(StoreError::Missing { .. }) => Ok(Self::default()),
            read => read,
        }
    }

    /// Reads it.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store cannot be read.
    pub fn read(reader: &mut dyn Reader) -> Result<Self, StoreError> {
        let channels: Vec<AlertChannel> = all(reader)?;
        let keys: Vec<Key> = channels.iter().map(|head| Notice::key_of(&head.channel, head.newest)).collect();
        let newest = rows::many::<Notice>(reader, &keys)?;
        let newest = newest.into_iter().map(|notice| (notice.channel.clone(), notice)).collect();
        Ok(Self { alerts: all(reader)?, silences: all(reader)?, channels, newest })
    }

    /// How far a channel has come.
    #[must_use]
    pub fn channel(&self, name: &str) -> AlertChannel {
        let head = self.channels.iter().find(|head| head.channel == name).cloned();
        head.unwrap_or_else(|| new_channel(name))
    }

    /// One alert.
    #[must_use]
    pub fn alert(&self, subject: &str, kind: quittance_core::alert::Kind) -> Option<&Alert> {
        self.alerts.iter().find(|alert| alert.subject == subject && alert.kind == kind)
    }
}

/// A channel that was told nothing yet.
pub(super) fn new_channel(name: &str) -> AlertChannel {
    AlertChannel { channel: name.to_owned(), newest: 0, sent: 0, given_up: 0, failing_since: None }
}

/// Every row of a table.
fn all<T: Entity>(reader: &mut dyn Reader) -> Result<Vec<T>, StoreError> {
    let mut found: Vec<T> = Vec::new();
    loop {
        let mut scan = Scan::forward(T::table(), Vec::new(), PAGE);
        scan.after = found.last().map(Entity::key);
        let page = rows::page::<T>(reader, &scan)?;
        let is_last = page.len() < PAGE;
        found.extend(page);
        if is_last {
            return Ok(found);
        }
    }
}
