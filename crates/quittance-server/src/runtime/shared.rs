//! What the executor, the jobs and the handles share.

use super::executor::Entry;
use super::gateways::GatewayStates;
use super::waiters::Waiters;
use crate::config::{Config, Secrets};
use crate::metrics;
use crate::roles::Roles;
use quittance_core::time::Timestamp;
use quittance_engine::queue::Queue;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::watch;

pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) secrets: Secrets,
    pub(crate) queue: Queue<Entry>,
    pub(crate) waiters: Waiters,
    pub(crate) gateways: GatewayStates,
    /// What this process does.
    pub(crate) roles: Roles,
    /// Nothing new is begun at a gateway any more.
    pub(super) is_winding_down: AtomicBool,
    /// How the executor ended, once it has.
    pub(super) end: watch::Sender<Option<End>>,
}

/// How the executor ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// As it was asked to.
    Stopped,
    /// By itself; the text is for operators.
    Failed(String),
}

impl Shared {
    pub(crate) fn has_ended(&self) -> bool {
        self.end.borrow().is_some() || self.is_winding_down()
    }

    pub(super) fn is_winding_down(&self) -> bool {
        self.is_winding_down.load(Ordering::Acquire)
    }

    pub(crate) fn report_gauges(&self, now: Timestamp) {
        let (depth, age_ms) = self.queue.backlog(now);
        metrics::queue(depth, age_ms);
        metrics::waiting(self.waiters.count());
        self.gateways.report_gauges(now);
    }
}
