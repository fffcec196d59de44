//! The log of events: what is in it and in no inbox is submitted as a webhook would have been.

use super::{AGAIN_MAX, Interrupted, PAGES_MAX, Sweeper};
use crate::api::rows;
use crate::runtime::sweep::objects::KINDS;
use crate::{clock, metrics};
use quittance_connectors::connector::{EVENTS_PAGE_MAX, EventsFact};
use quittance_connectors::event::Event;
use quittance_core::fact::{Fact, Loss};
use quittance_engine::submission::{EventGap, EventLog, Outcome, Submission, Swept, WebhookEvent};
use quittance_engine::sweeps::{begin_events, follow_events};
use quittance_store::records::{Discrepancy, DiscrepancyKind, EventSource, Sweep};
use quittance_store::tables::{DISCREPANCIES, INBOX};

impl Sweeper<'_> {
    /// Follows the log to its end, or for as many pages as one run may ask for.
    pub(super) async fn events(&self) -> Result<(), Interrupted> {
        let mut sweep = self.state(Sweep::EVENTS).await?;
        let beginning = begin_events(&mut sweep, clock::now(), self.ahead_ms().await?);
        self.warn_of_clock(Sweep::EVENTS, &beginning);
        let gap = beginning.gap;
        if matches!(gap, Some(EventGap::Open { .. })) {
            metrics::swept(&self.gateway.name, Sweep::EVENTS, "gap");
            self.look_at_everything().await?;
        }
        // A sweep that dies begins anew; where nothing was ever seen, the next one has to know where this one began.
        if gap.is_some() || sweep.cursor.is_none() {
            self.keep(&sweep, gap).await?;
        }
        // Of what was on the pages of an earlier run nothing is known here.
        let mut is_readable = sweep.resume_after.is_none();
        let (mut limit, mut again) = (EVENTS_PAGE_MAX, AGAIN_MAX);
        for _ in 0..PAGES_MAX {
            let from = sweep.created_from.unwrap_or_default();
            let Some(request) = self.gateway.connector.events(from, sweep.resume_after.as_deref(), limit) else {
                return Ok(());
            };
            let delivery = self.ask(&request).await?;
            let (events, unreadable, next) = match self.gateway.connector.decode_events(&delivery) {
                EventsFact::Page { events, unreadable, next } => (events, unreadable, next),
                EventsFact::Failed(Fact::Lost(Loss::Unreadable)) if limit > 1 => {
                    // Too long, perhaps: large events are few on a smaller page.
                    self.note(&delivery, &Fact::Lost(Loss::Unreadable));
                    limit /= 10;
                    continue;
                }
                EventsFact::Failed(fact) if self.asks_again(&delivery, &fact, &mut again) => continue,
                EventsFact::Failed(fact) => return Err(self.no_page(&mut sweep, &delivery, fact).await),
            };
            self.note(&delivery, &Fact::Absent);
            (limit, again) = (EVENTS_PAGE_MAX.min(limit * 10), AGAIN_MAX);
            let newest = events.iter().map(|(event, _)| event.created_seconds).max();
            self.take(events).await?;
            if let Some(event) = unreadable.first() {
                is_readable = false;
                let detail = format!("{event} cannot be read; what it says is lost, {} like it", unreadable.len());
                self.keep_log(&sweep, EventLog::Unreadable { detail }).await?;
            }
            let followed = follow_events(&mut sweep, newest, next, clock::now());
            let log = (is_readable && followed == Ok(true)).then_some(EventLog::Readable);
            self.store(Swept { upon: None, sweep: sweep.clone(), listed: None, gap: None, log }).await?;
            if followed? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Alarms a log of which so many sweeps in a row got no page, although the gateway answers.
    pub(super) async fn complain(&self, sweeps: u32) -> Result<(), Interrupted> {
        let sweep = self.state(Sweep::EVENTS).await?;
        let detail = format!("{sweeps} sweeps in a row got no page of the log of events that can be read");
        self.keep_log(&sweep, EventLog::Unreadable { detail }).await
    }

    /// A page that was refused may be asked for wrongly: where the list goes on is no longer known there.
    pub(super) async fn no_page(
        &self,
        sweep: &mut Sweep,
        delivery: &quittance_connectors::message::Delivery,
        fact: Fact,
    ) -> Interrupted {
        self.note(delivery, &fact);
        let is_refused = matches!(fact, Fact::Refused { .. } | Fact::Absent);
        if is_refused
            && sweep.resume_after.take().is_some()
            && let Err(error) = self.keep(sweep, None).await
        {
            return error;
        }
        Interrupted::NoPage { word: fact.word(), is_outage: !is_refused && fact != Fact::Lost(Loss::Unreadable) }
    }

    /// Submits the events that no inbox has, the oldest first.
    async fn take(&self, events: Vec<(Event, Vec<u8>)>) -> Result<(), Interrupted> {
        let keys = events.iter().map(|(event, _)| vec![self.gateway.name.as_str().into(), event.id.as_str().into()]);
        let keys: Vec<_> = keys.collect();
        let known = self.handle.read(move |reader| reader.get_many(&INBOX, &keys)).await?;
        self.note_listed(&events, &known);
        let new = events.into_iter().zip(known).filter(|(_, row)| row.is_none()).map(|(event, _)| event);
        let new: Vec<_> = new.collect();
        for (event, body) in new.into_iter().rev() {
            self.handle.note_version(&self.gateway.name, event.api_version.as_deref());
            self.handle.note_heard(&self.gateway.name, event.object_id.as_deref());
            let (gateway, source) = (self.gateway.name.clone(), EventSource::Sweep);
            let swept = WebhookEvent { gateway, source, endpoint: None, secret: None, event, body };
            if !matches!(self.submit(Submission::Webhook(Box::new(swept))).await?, Outcome::Duplicate) {
                metrics::event_swept(&self.gateway.name);
            }
        }
        Ok(())
    }

    /// Events are missing for ever: the next sweeps of objects look at all there are.
    async fn look_at_everything(&self) -> Result<(), Interrupted> {
        for kind in KINDS {
            if self.listed_kind(kind).is_none() {
                continue;
            }
            let sweep = self.state(kind.name()).await?;
            let restarted = Sweep { is_full: true, resume_after: None, completed_at: None, ..sweep };
            self.keep(&restarted, None).await?;
        }
        Ok(())
    }

    /// Notes whether events are missing for ever, as the books have it, which say so no more once every list of objects was followed
    /// from its beginning.
    pub(super) async fn settle_gap(&self) -> Result<(), Interrupted> {
        let kind = DiscrepancyKind::EventRetentionGap.name();
        let place = vec![self.gateway.name.as_str().into(), Discrepancy::EVENTS.into(), kind.into()];
        let read =
            self.handle.read(move |reader| rows::unique::<Discrepancy>(reader, &DISCREPANCIES.indexes[0], place));
        let open = read.await?.filter(|gap| gap.closed_at.is_none());
        let is_over = open.is_some() && !self.is_any_full().await?;
        if is_over {
            self.keep(&self.stored(Sweep::EVENTS).await?, Some(EventGap::Closed)).await?;
        }
        let gap = open.filter(|_| !is_over).map(|gap| (gap.detail, gap.opened_at));
        self.gateway.hearing.note_gap(gap, clock::now());
        Ok(())
    }

    /// Whether a list of objects is still to be followed from its beginning.
    async fn is_any_full(&self) -> Result<bool, Interrupted> {
        for kind in KINDS {
            if self.stored(kind.name()).await?.is_full {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
