//! Clients of our API: one try at one server, and insisting on an answer under one key, each time at whatever server comes
//! next. Does not own what is asked.

use crate::demo::dice::Dice;
use crate::demo::evidence::Answer;
use crate::surroundings::{span, time};
use quittance_server::clock::Stopwatch;
use reqwest::Client;
use serde_json::Value;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What a client with patience waits for an answer; a server answers within its `wait_ms`, and one that is frozen never.
const PATIENCE_S: u64 = 5;

/// After this, a command that has no final answer is a finding.
const INSISTENCE_S: u64 = 90;

/// Tries that hang up early, at most; a command that is never waited for would never be known to be answered.
const EARLY_MAX: u32 = 3;

/// Where the servers listen, and with what one is let in.
pub(crate) struct Api {
    http: Client,
    secret: String,
    bases: Mutex<Vec<Option<String>>>,
}

/// A command: the same bytes under the same key, however often it is sent.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    pub(crate) path: String,
    pub(crate) key: String,
    pub(crate) body: Value,
}

/// What came of insisting, and when it was begun and known, on the clock of histories.
#[derive(Clone, Debug)]
pub(crate) struct Insisted {
    pub(crate) began: u64,
    pub(crate) ended: u64,
    pub(crate) answer: Answer,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    Late,
    Lost,
}

impl Api {
    pub(crate) fn new(secret: String, servers: usize) -> Self {
        // Fails when a provider is there already, and then that one is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder().no_proxy().build().expect("a client");
        Self { http, secret, bases: Mutex::new(vec![None; servers]) }
    }

    /// Where a server listens from now on; nowhere while it is dead.
    pub(crate) fn place(&self, server: usize, base: Option<String>) {
        self.bases.lock().unwrap_or_else(PoisonError::into_inner)[server] = base;
    }

    /// One of the servers that are there.
    fn some_base(&self, dice: &mut Dice) -> Option<String> {
        let bases = self.bases.lock().unwrap_or_else(PoisonError::into_inner);
        let there: Vec<&String> = bases.iter().flatten().collect();
        let at = dice.roll(u64::try_from(there.len()).unwrap_or(0));
        there.get(usize::try_from(at).unwrap_or(0)).map(|base| (*base).clone())
    }

    /// One try at one server.
    async fn try_post(&self, command: &Command, dice: &mut Dice, patience: Duration) -> Result<Answer, NoAnswer> {
        let base = self.some_base(dice).ok_or(NoAnswer::Lost)?;
        let request = self.http.post(format!("{base}{}", command.path)).bearer_auth(&self.secret);
        let request = request.header("idempotency-key", &command.key).json(&command.body);
        answer(request, patience).await
    }

    /// One try at one server, whose outcome nobody asks for any more.
    pub(crate) async fn try_once(&self, command: &Command, dice: &mut Dice, patience: Duration) {
        drop(self.try_post(command, dice, patience).await);
    }

    /// Sends until the answer is final, hanging up early now and then.
    pub(crate) async fn insist(&self, command: &Command, dice: &mut Dice) -> Result<Insisted, String> {
        let (since, began) = (Stopwatch::start(), time());
        let (mut early, mut last) = (0, String::from("nothing was sent"));
        while since.elapsed() < span(INSISTENCE_S) {
            let is_early = early < EARLY_MAX && dice.hits(150);
            early += u32::from(is_early);
            let patience = if is_early { Duration::from_millis(dice.between(1, 150)) } else { span(PATIENCE_S) };
            match self.try_post(command, dice, patience).await {
                Ok(answer) if is_final(&answer) => return Ok(Insisted { began, ended: time(), answer }),
                Ok(answer) => {
                    last = say(&answer);
                    pause(dice.between(20, 150)).await;
                }
                Err(why) => {
                    last = format!("{why:?}");
                    pause(dice.between(5, 50)).await;
                }
            }
        }
        Err(format!(
            "{} {} has no final answer after {:?}; the last was: {last}",
            command.path,
            command.key,
            since.elapsed()
        ))
    }

    /// Reads at some server, once; nothing where that one did not answer with a 200.
    pub(crate) async fn read(&self, path: &str, dice: &mut Dice) -> Option<Value> {
        let base = self.some_base(dice)?;
        let request = self.http.get(format!("{base}{path}")).bearer_auth(&self.secret);
        let answer = answer(request, span(PATIENCE_S)).await.ok().filter(|answer| answer.status == 200)?;
        serde_json::from_slice(&answer.body).ok()
    }

    /// Reads until somebody answers.
    pub(crate) async fn read_patiently(&self, path: &str, dice: &mut Dice) -> Value {
        let since = Stopwatch::start();
        while since.elapsed() < span(INSISTENCE_S) {
            if let Some(value) = self.read(path, dice).await {
                return value;
            }
            pause(20).await;
        }
        panic!("GET {path} has no answer after {:?}", since.elapsed());
    }

    /// All rows of a list, page by page.
    pub(crate) async fn list(&self, path: &str, dice: &mut Dice) -> Vec<Value> {
        let separator = if path.contains('?') { '&' } else { '?' };
        let (mut rows, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.read_patiently(&format!("{path}{separator}limit=100{cursor}"), dice).await;
            rows.extend(page["data"].as_array().expect("a list").iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return rows,
            }
        }
    }
}

async fn answer(request: reqwest::RequestBuilder, patience: Duration) -> Result<Answer, NoAnswer> {
    let why = |error: reqwest::Error| if error.is_timeout() { NoAnswer::Late } else { NoAnswer::Lost };
    let response = request.timeout(patience).send().await.map_err(why)?;
    let status = response.status().as_u16();
    let body = response.bytes().await.map_err(why)?.to_vec();
    Ok(Answer { status, body })
}

/// Whether asking again could not change it.
fn is_final(answer: &Answer) -> bool {
    match answer.status {
        202 | 429 | 500.. => false,
        409 => json(answer)["code"] != "idempotency-in-progress",
        _ => true,
    }
}

/// The body as JSON; null where it is none.
pub(crate) fn json(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_default()
}

pub(crate) fn say(answer: &Answer) -> String {
    format!("{} {}", answer.status, String::from_utf8_lossy(&answer.body))
}

pub(crate) async fn pause(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}
