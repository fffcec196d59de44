//! Rounds of looking and sending, until it is known of each write what came of it: for systems that are written by a request for
//! each record, and have no transactions.
//!
//! Each round begins with a look at all that is open, so that nothing is sent again that was done, and nothing is sent over what
//! somebody else wrote since the first try. What cannot be known from an answer is decided by what is read. A pair that is paused,
//! a lease that is lost and the end of the process are heard before each send, and in each pause. Does not own the
//! requests, nor what answers mean: each system has a [`Conversation`].

use super::{IN_FLIGHT_MAX, Line, Sent, Web};
use crate::systems::SystemError;
use crate::systems::write::{Narrow, Stand, Standing, Write, Written, after, stand, standing};
use futures_util::future::join_all;
use quittance_connectors::message::Response;
use quittance_core::record::value::Value;
use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

/// What is known of a write.
#[derive(Clone, Debug)]
pub(in crate::systems) enum Known {
    /// Nothing of it was carried out, for this reason where it was sent.
    Fresh(Option<String>),
    /// The system says that it was carried out.
    Applied,
    /// The system held it against the record as it was read, found it changed since, and carried nothing out. No more is sent.
    Raced,
    /// It may have been carried out, or may be yet, for this reason.
    Unsure(String),
    /// No try will be carried out any more, for this reason; whether an earlier one was, a look tells.
    Ended(String),
    /// All of it.
    Over(Written),
}

/// The writes of one call, as they are spoken of with a system.
pub(in crate::systems) trait Conversation {
    /// A record as it was read: its values, in the order of the columns that writes name.
    type Seen: AsRef<[Value<'static>]>;
    /// A request that changes a record.
    type Outgoing;

    fn web(&self) -> &Web;

    fn writes(&self) -> &[Write];

    fn narrow(&self) -> &Narrow;

    /// What tells the record of a write apart, for people.
    fn id(&self, at: usize) -> &str;

    /// Method and path of what changes the record of a write, for people.
    fn place(&self, at: usize) -> String;

    /// Reads the records of these writes. What is not there is not in it.
    fn look(&self, writes: &[usize]) -> Result<BTreeMap<usize, Self::Seen>, SystemError>;

    /// The request of a write, or why the system would not hold what is to be set.
    fn request(&self, at: usize, seen: &Self::Seen) -> Result<Self::Outgoing, String>;

    /// Sends it once.
    fn send(&self, line: &Line, outgoing: &Self::Outgoing) -> impl Future<Output = Sent>;

    /// What an answer makes of what is known of a write.
    ///
    /// # Errors
    ///
    /// When no write of the call would be carried out.
    fn answered(&self, at: usize, known: &Known, response: &Response) -> Result<Known, SystemError>;

    /// What ends the call where this is the answer to all of its writes, because nobody may make any of them: one that is the answer
    /// to some is about those.
    fn forbids(&self, _at: usize, _: &Response) -> Option<SystemError> {
        None
    }

    /// Whether an answer that does not say what was done is what every further try gets, too.
    fn is_kept(&self, _: &Response) -> bool {
        false
    }

    /// Whether a write that may have been carried out is sent again where the record holds what it held.
    fn may_repeat(&self) -> bool {
        true
    }
}

/// How many records are read, written and read again together. Each takes three requests: at this rate that is done within about
/// a second, so that what was read is not much older than that when it is written.
pub(in crate::systems) fn portion(requests_per_second_max: u32) -> usize {
    (requests_per_second_max as usize / 3).clamp(1, IN_FLIGHT_MAX)
}

/// How the records of a call stand.
pub(in crate::systems) fn stands(talk: &impl Conversation) -> Result<Vec<Stand>, SystemError> {
    let writes = talk.writes();
    let seen = talk.look(&(0..writes.len()).collect::<Vec<_>>())?;
    let found = |at: usize| seen.get(&at).map(std::slice::from_ref).unwrap_or_default();
    Ok(writes.iter().enumerate().map(|(at, write)| stand(write, found(at), talk.narrow())).collect())
}

/// Brings every write of a call to its end.
pub(in crate::systems) fn converse(talk: &impl Conversation) -> Result<Vec<Written>, SystemError> {
    let line = talk.web().line();
    let mut known = vec![Known::Fresh(None); talk.writes().len()];
    let (mut forbidden, mut is_any_else) = (None, false);
    for tries in 0..=line.tries_max() {
        let open: Vec<usize> = (0..known.len()).filter(|at| !matches!(known[*at], Known::Over(_))).collect();
        if open.is_empty() {
            break;
        }
        let outgoing = decide(talk, &open, &mut known)?;
        if tries == line.tries_max() {
            break;
        }
        let sends = outgoing.iter().map(|(_, request)| talk.send(&line, request));
        let answers = talk.web().run(join_all(sends));
        let mut wait = Duration::ZERO;
        for ((at, _), answer) in outgoing.iter().zip(answers) {
            if let Sent::Throttled(Some(asked)) = &answer {
                wait = wait.max(*asked);
            }
            let forbids = if let Sent::Answered(response) = &answer { talk.forbids(*at, response) } else { None };
            is_any_else |= forbids.is_none();
            forbidden = forbidden.or(forbids);
            known[*at] = heard(talk, *at, &known[*at], answer)?;
        }
        if let Some(error) = forbidden.take_if(|_| !is_any_else) {
            return Err(error);
        }
        if known.iter().any(|known| matches!(known, Known::Fresh(_) | Known::Unsure(_))) {
            talk.web().run(line.pause(tries + 1, Some(wait).filter(|wait| !wait.is_zero())))?;
        }
    }
    let over = |(at, known): (usize, Known)| match known {
        Known::Over(written) => Ok(written),
        known => Err(given_up(talk, at, &known)),
    };
    known.into_iter().enumerate().map(over).collect()
}

/// Looks at what is open, and says what is to be sent.
fn decide<C: Conversation>(
    talk: &C,
    open: &[usize],
    known: &mut [Known],
) -> Result<Vec<(usize, C::Outgoing)>, SystemError> {
    let seen = talk.look(open)?;
    let mut outgoing = Vec::new();
    for at in open.iter().copied() {
        let found = seen.get(&at);
        if let Some(written) = looked(talk, at, &known[at], found.map(AsRef::as_ref)) {
            known[at] = Known::Over(written);
            continue;
        }
        let is_unsure = matches!(known[at], Known::Unsure(_));
        match found.map(|found| talk.request(at, found)) {
            Some(Ok(request)) if !is_unsure || talk.may_repeat() => outgoing.push((at, request)),
            // What cannot be said now may have been said before.
            Some(Err(why)) if !is_unsure => known[at] = Known::Over(Written::Refused { why }),
            _ => {}
        }
    }
    Ok(outgoing)
}

/// What a look tells of a write; none where it is open.
fn looked(talk: &impl Conversation, at: usize, known: &Known, row: Option<&[Value<'static>]>) -> Option<Written> {
    let (write, narrow) = (&talk.writes()[at], talk.narrow());
    let Some(row) = row else {
        return Some(match known {
            Known::Applied => after(write, None, narrow),
            // Perhaps it was written before it went.
            Known::Unsure(_) => Written::Perhaps { now: vec![Value::Absent; write.expected.len()] },
            _ => Written::Gone,
        });
    };
    match (known, standing(write, row, narrow)) {
        (Known::Over(written), _) => Some(written.clone()),
        (Known::Applied, _) => Some(after(write, Some(row), narrow)),
        (Known::Ended(reason), Standing::AsExpected) => {
            Some(Written::Refused { why: format!("{reason}, and it holds what it held") })
        }
        // Something else of the record was changed.
        (Known::Raced, Standing::AsExpected) => {
            Some(Written::Moved { now: write.expected.iter().map(|(_, value)| value.clone()).collect() })
        }
        (_, Standing::AsExpected) => None,
        (Known::Fresh(_) | Known::Raced, Standing::Done) => Some(Written::Already),
        (Known::Fresh(_) | Known::Raced, Standing::Moved(now)) => Some(Written::Moved { now }),
        // Perhaps it was written before somebody else changed it.
        (Known::Unsure(_) | Known::Ended(_), Standing::Moved(now)) => Some(Written::Perhaps { now }),
        (Known::Unsure(_) | Known::Ended(_), Standing::Done) => Some(Written::Done),
    }
}

/// What an answer, or none, makes of what is known.
fn heard(talk: &impl Conversation, at: usize, known: &Known, sent: Sent) -> Result<Known, SystemError> {
    // What was not carried out now may have been before.
    let still = |reason: String| match known {
        Known::Unsure(_) => known.clone(),
        _ => Known::Fresh(Some(reason)),
    };
    Ok(match sent {
        Sent::Answered(response) => talk.answered(at, known, &response)?,
        Sent::Throttled(_) => still("it had too many requests (429)".to_owned()),
        Sent::Unsent(reason) => still(reason),
        Sent::Vetoed(why) => return Err(talk.web().line().stopped(&why)),
        Sent::Unclear(response) if talk.is_kept(&response) => Known::Ended(format!("it answers {}", response.status)),
        Sent::Unclear(response) => Known::Unsure(format!("it answers {}", response.status)),
        Sent::Lost(reason) => Known::Unsure(reason),
    })
}

/// Why a write of which no try came to an end is not tried again.
fn given_up(talk: &impl Conversation, at: usize, known: &Known) -> SystemError {
    let line = talk.web().line();
    let (system, id) = (&line.name, talk.id(at));
    let reason = match known {
        Known::Fresh(reason) => {
            let reason = reason.as_deref().unwrap_or("nothing was sent");
            let (place, tries) = (talk.place(at), line.tries_max());
            let what = format!("{place} of system `{system}` came to nothing, tried {tries} times: {reason}");
            return SystemError::outside(what, "see that it can be reached, and lower requests_per_second_max");
        }
        Known::Unsure(reason) | Known::Ended(reason) => reason.as_str(),
        Known::Applied | Known::Raced | Known::Over(_) => "nobody looked again",
    };
    // What was answered proves nothing: it may be carried out when nobody looks any more.
    let what = format!("whether `{id}` of system `{system}` was written is not known: {reason}");
    SystemError::outside(what, "do the same again, which finds out")
}

#[cfg(test)]
mod tests {
    use super::portion;

    #[test]
    fn what_is_read_before_the_writing_is_written_within_a_second() {
        assert_eq!([1, 2, 3, 8, 12, 24, 50, 1_000].map(portion), [1, 1, 1, 2, 4, 8, 8, 8]);
    }
}
