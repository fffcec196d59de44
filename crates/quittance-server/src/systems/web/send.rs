//! One send of a write, and what can be known of it. Nothing is sent again here: whether that helps is for who writes.

use super::Line;
use crate::clock;
use crate::systems::SystemError;
use quittance_connectors::http::update::Change;
use quittance_connectors::message::{Delivery, Request, Response};
use std::future::Future;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Writes to one system in a second, whatever its rate: a repair is not to be in the way of the business.
pub(super) const WRITES_PER_SECOND_MAX: u32 = 20;

/// What came of one send.
#[derive(Debug)]
pub(in crate::systems) enum Sent {
    /// A whole answer, which says what was done.
    Answered(Response),
    /// It had enough requests (429), and did nothing; it asks to be left alone so long.
    Throttled(Option<Duration>),
    /// A whole answer that does not say what was done (408, 5xx).
    Unclear(Response),
    /// No whole answer, and the request may have arrived: why.
    Lost(String),
    /// No byte of it left: why.
    Unsent(String),
    /// It was not sent, since nothing is to be any more: why.
    Vetoed(String),
}

impl Line {
    /// Sends a write once, when both rates allow it.
    pub(in crate::systems) async fn send(&self, request: &Request) -> Sent {
        self.once(self.transport.deliver(request, self.timeout)).await
    }

    /// The same of a change of a record of an API.
    pub(in crate::systems) async fn send_change(&self, change: &Change) -> Sent {
        self.once(self.transport.deliver_change(change, self.timeout)).await
    }

    /// Nothing is delivered before its turn, and nothing that somebody objects to when that has come.
    async fn once(&self, delivery: impl Future<Output = Delivery>) -> Sent {
        self.wait_for(&self.writes).await;
        self.wait_for_turn().await;
        if let Some(why) = self.objection() {
            return Sent::Vetoed(why);
        }
        self.sent.fetch_add(1, Ordering::Relaxed);
        match delivery.await {
            Delivery::Answered(response) => match response.status {
                429 => {
                    self.bucket().drain(clock::now());
                    Sent::Throttled(response.retry_after_ms().map(Duration::from_millis))
                }
                408 | 500..=599 => Sent::Unclear(response),
                _ => Sent::Answered(response),
            },
            Delivery::NotSent { reason } => Sent::Unsent(reason),
            Delivery::Lost { reason, .. } => Sent::Lost(reason),
        }
    }

    /// The pause before the next try of several, of which this is the number, from 1.
    ///
    /// # Errors
    ///
    /// When nothing more is to be sent: it ends early then.
    pub(in crate::systems) async fn pause(&self, tries: u32, asked: Option<Duration>) -> Result<(), SystemError> {
        let doubled = self.patience.pause.saturating_mul(2_u32.saturating_pow(tries.saturating_sub(1).min(16)));
        self.rest(asked.unwrap_or(doubled).min(self.patience.pause_max)).await
    }

    /// Tries of one request.
    pub(in crate::systems) fn tries_max(&self) -> u32 {
        self.patience.tries_max
    }
}
