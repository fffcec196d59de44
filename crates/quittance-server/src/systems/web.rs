//! Reading over HTTP: requests at a rate, again where that helps, and given up with what was wrong.
//!
//! Reads are harmless, so that whatever fails in passing is asked again: what was refused for its rate, an error of the
//! other side, a broken connection, an answer that is not readable. Writes are sent once by a call (`send`), and brought to their
//! end by looking (`rounds`). Does not own what is asked, nor what answers mean.

mod rounds;
mod send;

pub(super) use rounds::{Conversation, Known, converse, portion, stands};
pub(super) use send::Sent;

use super::SystemError;
use super::write::Veto;
use crate::clock;
use crate::transport::Transport;
use quittance_connectors::message::{Delivery, Request, Response};
use quittance_engine::bucket::Bucket;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Requests of one system under way at once.
pub(super) const IN_FLIGHT_MAX: usize = 8;

/// How soon a pause ends at the latest when work is to stop.
const GLANCE: Duration = Duration::from_millis(200);

/// How long a system is bothered that does not answer as it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Tries of one request.
    pub tries_max: u32,
    /// The pause before the second try; it doubles with each.
    pub pause: Duration,
    /// The longest pause, also where the system asks for a longer one.
    pub pause_max: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { tries_max: 6, pause: Duration::from_millis(500), pause_max: Duration::from_secs(60) }
    }
}

/// What is asked of a system, and how much.
pub(super) struct Settings<'a> {
    /// The system's name in the configuration.
    pub(super) name: &'a str,
    pub(super) transport: Transport,
    pub(super) requests_per_second_max: u32,
    pub(super) timeout: Duration,
    pub(super) patience: Patience,
}

/// A line to one system, with a runtime of its own: whoever reads blocks a thread.
pub(super) struct Web {
    runtime: tokio::runtime::Runtime,
    line: Line,
}

impl Web {
    pub(super) fn new(settings: Settings<'_>) -> Result<Self, SystemError> {
        let Settings { name, transport, requests_per_second_max, timeout, patience } = settings;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| {
            SystemError::outside(format!("no connections can be made for system `{name}`: {error}"), "").because(error)
        })?;
        let bucket = |per_second| Arc::new(Mutex::new(Bucket::new(per_second, clock::now())));
        let line = Line {
            name: name.into(),
            transport,
            timeout,
            patience,
            bucket: bucket(requests_per_second_max),
            writes: bucket(requests_per_second_max.min(send::WRITES_PER_SECOND_MAX)),
            pace: Duration::from_secs(1) / requests_per_second_max.max(1),
            sent: Arc::new(AtomicU64::new(0)),
            veto: None,
        };
        Ok(Self { runtime, line })
    }

    /// Has this asked before each write, and before whatever is asked again.
    pub(super) fn ask_before_send(&mut self, veto: Veto) {
        self.line.veto = Some(Arc::new(veto));
    }

    pub(super) fn line(&self) -> Line {
        self.line.clone()
    }

    /// How long an answer is waited for.
    pub(super) fn timeout(&self) -> Duration {
        self.line.timeout
    }

    pub(super) fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }
}

/// Requests to one system. Clones share its rate.
#[derive(Clone)]
pub(super) struct Line {
    /// The system's name in the configuration.
    pub(super) name: Arc<str>,
    transport: Transport,
    timeout: Duration,
    patience: Patience,
    bucket: Arc<Mutex<Bucket>>,
    /// Of writes alone.
    writes: Arc<Mutex<Bucket>>,
    pace: Duration,
    sent: Arc<AtomicU64>,
    /// Says why nothing more is to be sent.
    veto: Option<Arc<Veto>>,
}

/// An answer, and when it was given.
#[derive(Debug)]
pub(super) struct Fetched<T> {
    pub(super) answer: T,
    /// The system's own time, in seconds since 1970, where it tells.
    pub(super) date: Option<i64>,
}

/// Why one try came to nothing.
struct Miss {
    reason: String,
    /// How long the system asks to be left alone.
    wait: Option<Duration>,
    remedy: &'static str,
}

impl Line {
    /// Requests that were sent so far.
    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Sends a request until `decode` can read the answer, as often as patience allows. What it says of an answer that
    /// it cannot read is for people.
    pub(super) async fn fetch<T>(
        &self,
        request: &Request,
        decode: impl Fn(&Response) -> Result<T, String>,
    ) -> Result<Fetched<T>, SystemError> {
        let mut pause = self.patience.pause;
        let mut tries = 1;
        loop {
            self.wait_for_turn().await;
            let miss = match self.try_once(request, &decode).await {
                Ok(fetched) => return Ok(fetched),
                Err(miss) => miss,
            };
            if tries >= self.patience.tries_max {
                return Err(self.failure(request, tries, &miss));
            }
            tries += 1;
            self.rest(miss.wait.unwrap_or(pause).min(self.patience.pause_max)).await?;
            pause = (pause * 2).min(self.patience.pause_max);
        }
    }

    async fn try_once<T>(
        &self,
        request: &Request,
        decode: impl Fn(&Response) -> Result<T, String>,
    ) -> Result<Fetched<T>, Miss> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        let response = match self.transport.deliver(request, self.timeout).await {
            Delivery::Answered(response) => response,
            Delivery::NotSent { reason } => {
                return Err(Miss { reason, wait: None, remedy: "see that its address is right and can be reached" });
            }
            Delivery::Lost { reason, .. } => {
                return Err(Miss { reason, wait: None, remedy: "see that it can be reached, or raise timeout_ms" });
            }
        };
        match response.status {
            429 => {
                self.bucket().drain(clock::now());
                let reason = "too many requests (429)".to_owned();
                let wait = response.retry_after_ms().map(Duration::from_millis);
                Err(Miss { reason, wait, remedy: "lower requests_per_second_max: others use its limit too" })
            }
            status @ (408 | 500..=599) => {
                Err(Miss { reason: format!("it answers {status}"), wait: None, remedy: "try again later" })
            }
            _ => match decode(&response) {
                Ok(answer) => Ok(Fetched { answer, date: date(&response) }),
                Err(reason) => Err(Miss { reason, wait: None, remedy: "see what answers under this address" }),
            },
        }
    }

    fn failure(&self, request: &Request, tries: u32, miss: &Miss) -> SystemError {
        let path = path(request);
        let what = format!("GET {path} of system `{}` cannot be read, tried {tries} times: {}", self.name, miss.reason);
        SystemError::outside(what, miss.remedy)
    }

    /// Waits so long; no longer where nothing more is to be sent, which is an error.
    async fn rest(&self, span: Duration) -> Result<(), SystemError> {
        let slice = if self.veto.is_some() { GLANCE } else { span };
        let mut left = span;
        loop {
            self.may_send()?;
            if left.is_zero() {
                return Ok(());
            }
            tokio::time::sleep(left.min(slice)).await;
            left = left.saturating_sub(slice);
        }
    }

    /// Why nothing more is to be sent now, as an error.
    fn may_send(&self) -> Result<(), SystemError> {
        self.objection().map_or(Ok(()), |why| Err(self.stopped(&why)))
    }

    fn objection(&self) -> Option<String> {
        self.veto.as_ref().and_then(|veto| veto())
    }

    fn stopped(&self, why: &str) -> SystemError {
        let what = format!("nothing more is sent to the system `{}`: {why}", self.name);
        SystemError::outside(what, "what was sent is found out by the next run, which decides the rest anew").stopped()
    }

    /// Waits until the rate allows one more request.
    async fn wait_for_turn(&self) {
        self.wait_for(&self.bucket).await;
    }

    async fn wait_for(&self, bucket: &Mutex<Bucket>) {
        loop {
            {
                let now = clock::now();
                let mut bucket = whole(bucket);
                if bucket.left(now) > 0 {
                    bucket.take(now);
                    return;
                }
            }
            tokio::time::sleep(self.pace).await;
        }
    }

    fn bucket(&self) -> MutexGuard<'_, Bucket> {
        whole(&self.bucket)
    }
}

fn whole(bucket: &Mutex<Bucket>) -> MutexGuard<'_, Bucket> {
    // It is whole between any two of its operations.
    bucket.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a request is about, without its parameters, which may name a person.
pub(super) fn path(request: &Request) -> &str {
    request.target.split('?').next().unwrap_or_default()
}

/// The time that an answer bears (RFC 9110, section 6.6.1).
fn date(response: &Response) -> Option<i64> {
    let date = jiff::fmt::rfc2822::parse(response.header("Date")?).ok()?;
    Some(date.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_of_an_answer_is_read() {
        let at = |text: &str| {
            date(&Response { status: 200, headers: vec![("date".to_owned(), text.to_owned())], body: Vec::new() })
        };
        assert_eq!(at("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(at("yesterday"), None);
    }
}
