//! Rounds of looking and sending, until it is known of each write what came of it.
//!
//! Each round begins with a look at all that is open, so that nothing is sent again that was done, and nothing is sent over what
//! somebody else wrote since the first try.

use super::{Job, Row, StripeWriter};
use crate::systems::SystemError;
use crate::systems::stripe::refusal::{refused, said};
use crate::systems::web::{Sent, path};
use crate::systems::write::{Standing, Written, after, standing};
use futures_util::future::join_all;
use quittance_connectors::message::{Request, Response};
use quittance_connectors::stripe::listing::{Failure, One, Refusal, decode_one};
use std::time::Duration;

/// What is known of a write.
#[derive(Clone, Debug)]
enum Known {
    /// Nothing of it was carried out, for this reason where it was sent.
    Fresh(Option<String>),
    /// Stripe says that it was carried out.
    Applied,
    /// It may have been carried out, or may be yet, for this reason.
    Unsure(String),
    /// No try will be carried out any more, for this reason; whether an earlier one was, a look tells.
    Ended(String),
    /// All of it.
    Over(Written),
}

impl StripeWriter {
    /// Brings every write of a job to its end.
    pub(super) fn rounds(&self, job: &Job<'_>) -> Result<Vec<Written>, SystemError> {
        let line = self.web.line();
        let mut known = vec![Known::Fresh(None); job.writes.len()];
        for tries in 0..=line.tries_max() {
            let open: Vec<usize> = (0..known.len()).filter(|at| !matches!(known[*at], Known::Over(_))).collect();
            if open.is_empty() {
                break;
            }
            let rows = self.look(job, &open)?;
            let mut sent = Vec::new();
            for at in open {
                let row = rows.get(&job.ids[at]);
                match looked(job, at, &known[at], row) {
                    Some(written) => known[at] = Known::Over(written),
                    None if tries == line.tries_max() => known[at] = Known::Over(self.give_up(job, at, &known[at])?),
                    None => match job.request(at) {
                        Ok(request) => sent.push((at, request)),
                        Err(why) => known[at] = Known::Over(Written::Refused { why }),
                    },
                }
            }
            let answers = self.web.run(join_all(sent.iter().map(|(_, request)| line.send(request))));
            let mut wait = None;
            for ((at, request), answer) in sent.iter().zip(answers) {
                if let Sent::Throttled(asked) = &answer {
                    wait = wait.max(*asked);
                }
                known[*at] = self.heard(job, request, &job.ids[*at], (&known[*at], answer))?;
            }
            let is_again = |known: &Known| matches!(known, Known::Fresh(_) | Known::Unsure(_));
            if known.iter().any(is_again) {
                self.web.run(line.pause(tries + 1, wait.filter(|wait: &Duration| !wait.is_zero())));
            }
        }
        let over = |(at, known): (usize, &Known)| match known {
            Known::Over(written) => Ok(written.clone()),
            known => self.give_up(job, at, known),
        };
        known.iter().enumerate().map(over).collect()
    }

    /// What an answer makes of what is known.
    fn heard(
        &self,
        job: &Job<'_>,
        request: &Request,
        id: &str,
        (known, sent): (&Known, Sent),
    ) -> Result<Known, SystemError> {
        // What was not carried out now may have been before.
        let still = |reason: String| match known {
            Known::Unsure(_) => known.clone(),
            _ => Known::Fresh(Some(reason)),
        };
        Ok(match sent {
            Sent::Answered(response) => self.answered(job, (request, id), known, &response)?,
            Sent::Throttled(_) => still("it had too many requests (429)".to_owned()),
            Sent::Unsent(reason) => still(reason),
            // What it keeps under the key it gives to every further try.
            Sent::Unclear(response) if is_replayed(&response) => {
                Known::Ended(format!("it answers {}", response.status))
            }
            Sent::Unclear(response) => Known::Unsure(format!("it answers {}", response.status)),
            Sent::Lost(reason) => Known::Unsure(reason),
        })
    }

    fn answered(
        &self,
        job: &Job<'_>,
        (request, id): (&Request, &str),
        known: &Known,
        response: &Response,
    ) -> Result<Known, SystemError> {
        Ok(match decode_one(job.kind, response) {
            Ok(One::There(object)) if object["id"] == *id => Known::Applied,
            Ok(One::There(_)) => Known::Unsure("it answers with another object".to_owned()),
            Ok(One::Deleted) => Known::Applied,
            Ok(One::Absent) => Known::Ended("it answers 404".to_owned()),
            Err(Failure::Unreadable(what)) => Known::Unsure(format!("it answers with {what}")),
            Err(Failure::Refused(refusal)) => self.refusal(job, request, known, &refusal)?,
        })
    }

    fn refusal(
        &self,
        job: &Job<'_>,
        request: &Request,
        known: &Known,
        refusal: &Refusal,
    ) -> Result<Known, SystemError> {
        let said = said(refusal, self.credential());
        let why = if said.is_empty() { format!("it answers {}", refusal.status) } else { said };
        let is_for_all = refusal.status == 401 || refusal.status == 403 && refusal.permission().is_some();
        match (refusal.status, known) {
            _ if is_for_all => Err(refused(&self.name, job.kind, request, refusal, self.credential())),
            // An earlier try under the same key is still being carried out.
            (409, _) => Ok(Known::Unsure(why)),
            // One before it may have been carried out all the same.
            (400..=499, Known::Unsure(_)) => Ok(Known::Ended(why)),
            (400..=499, _) => Ok(Known::Over(Written::Refused { why })),
            _ => Ok(Known::Unsure(why)),
        }
    }

    /// What is said of a write of which no try came to an end, when it is not tried again.
    fn give_up(&self, job: &Job<'_>, at: usize, known: &Known) -> Result<Written, SystemError> {
        let id = &job.ids[at];
        let place = job.request(at).map(|request| path(&request).to_owned()).unwrap_or_default();
        let tries = self.web.line().tries_max();
        match known {
            // What was answered proves nothing: it may be carried out when nobody looks any more.
            Known::Unsure(reason) | Known::Ended(reason) => {
                let what = format!("whether `{id}` of system `{}` was written is not known: {reason}", self.name);
                Err(SystemError::outside(what, "do the same again, which finds out"))
            }
            Known::Fresh(reason) => {
                let reason = reason.as_deref().unwrap_or("nothing was sent");
                let what =
                    format!("POST {place} of system `{}` came to nothing, tried {tries} times: {reason}", self.name);
                Err(SystemError::outside(what, "see that it can be reached, and lower requests_per_second_max"))
            }
            Known::Applied | Known::Over(_) => Ok(Written::Done),
        }
    }
}

/// What a look tells of a write; none where it is to be sent.
fn looked(job: &Job<'_>, at: usize, known: &Known, row: Option<&Row>) -> Option<Written> {
    let write = &job.writes[at];
    let Some(row) = row else {
        return Some(if matches!(known, Known::Applied) { after(write, None, &job.narrow) } else { Written::Gone });
    };
    match (known, standing(write, row, &job.narrow)) {
        (Known::Over(written), _) => Some(written.clone()),
        (Known::Applied, _) => Some(after(write, Some(row), &job.narrow)),
        (Known::Ended(reason), Standing::AsExpected) => {
            Some(Written::Refused { why: format!("{reason}, and it holds what it held") })
        }
        (_, Standing::AsExpected) => None,
        (Known::Fresh(_), Standing::Done) => Some(Written::Already),
        (Known::Fresh(_), Standing::Moved(now)) => Some(Written::Moved { now }),
        // Perhaps it was written before somebody else changed it.
        (Known::Unsure(_) | Known::Ended(_), _) => Some(after(write, Some(row), &job.narrow)),
    }
}

/// Whether it is what Stripe keeps under the key of the request, and not a new answer.
fn is_replayed(response: &Response) -> bool {
    response.header("Idempotent-Replayed").is_some_and(|value| value.eq_ignore_ascii_case("true"))
}
