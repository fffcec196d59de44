//! What the executors, the jobs and the handles share.

use super::claims::Claims;
use super::drift::Drift;
use super::events::Deliveries;
use super::executor::Entry;
use super::gateways::GatewayStates;
use super::grants::Grants;
use super::waiters::Waiters;
use crate::caps::Caps;
use crate::config::{Config, Secrets};
use crate::data::Data;
use crate::metrics;
use crate::roles::Roles;
use crate::truth::Truths;
use quittance_core::time::Timestamp;
use quittance_engine::engine::Outlook;
use quittance_engine::queue::Queue;
use quittance_postgres::Risk;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tokio::sync::watch;

pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) secrets: Secrets,
    pub(crate) queue: Queue<Entry>,
    pub(crate) waiters: Waiters,
    pub(super) claims: Arc<Claims>,
    pub(super) caps: Arc<Caps>,
    pub(crate) gateways: GatewayStates,
    /// What the lanes may begin at them.
    pub(super) grants: Grants,
    /// What the first lane knows.
    pub(super) outlook: Mutex<Outlook>,
    /// What the database may lose of what it acknowledges.
    pub(super) risks: Mutex<Vec<Risk>>,
    /// What is wrong with the certificate.
    pub(super) certificate: Mutex<Option<Risk>>,
    /// The books, and what is kept beside them; none where they lie in memory.
    pub(super) data: OnceLock<Data>,
    /// Channels of alerts that take no messages.
    pub(super) mute: Mutex<Vec<Risk>>,
    /// Lanes that have not ended.
    pub(super) lanes_left: AtomicUsize,
    /// Events on their way to tenants' endpoints.
    pub(super) deliveries: Deliveries,
    /// What is kept of comparisons.
    pub(super) drift: Drift,
    /// What is true, by the systems that are believed.
    pub(crate) truths: Truths,
    /// What this process does.
    pub(crate) roles: Roles,
    /// Nothing new is begun at a gateway any more.
    pub(super) is_winding_down: AtomicBool,
    /// How the lanes ended, once all have, or one by itself.
    pub(super) end: watch::Sender<Option<End>>,
}

/// How a lane ended.
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

    /// Notes that a lane has ended. That one failed is heard at once: nobody takes anything any more.
    pub(super) fn lane_ended(&self, end: End) {
        let is_last = self.lanes_left.fetch_sub(1, Ordering::AcqRel) == 1;
        self.end.send_if_modified(|known| {
            let is_news = known.is_none() && (is_last || end != End::Stopped);
            if is_news {
                *known = Some(end);
            }
            is_news
        });
    }

    pub(super) fn outlook(&self) -> Outlook {
        self.outlook.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn risks(&self) -> Vec<Risk> {
        let mut risks = self.risks.lock().unwrap_or_else(PoisonError::into_inner).clone();
        risks.extend(self.certificate.lock().unwrap_or_else(PoisonError::into_inner).clone());
        risks.extend(self.mute.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned());
        risks.extend(self.truths.risk());
        risks
    }

    /// Notes the risks there are, and returns those there were.
    pub(super) fn set_risks(&self, risks: Vec<Risk>) -> Vec<Risk> {
        std::mem::replace(&mut *self.risks.lock().unwrap_or_else(PoisonError::into_inner), risks)
    }

    pub(super) fn show(&self, outlook: Outlook) {
        *self.outlook.lock().unwrap_or_else(PoisonError::into_inner) = outlook;
    }

    pub(crate) fn report_gauges(&self, now: Timestamp) {
        let (depth, age_ms) = self.queue.backlog(now);
        metrics::queue(depth, age_ms);
        metrics::waiting(self.waiters.count());
        self.gateways.report_gauges(now);
        self.truths.report();
    }
}
