//! The limit over HTTP: the same stack, a request that is parsed and answered at the same length, and in between rows
//! without any logic. What waits when a transaction ends is written in the next one.

use super::asked::Series;
use super::limit::{self, Limit};
use super::place::Place;
use super::recorder::Recorder;
use super::worker::{Arguments, Told, Turns, obey};
use anyhow::{Context, Result};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::serve::ListenerExt;
use quittance_store::store::Change;
use serde::Deserialize;
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// Requests that may wait to be written, as many as in the server's queue.
const WAITING_MAX: usize = 10_000;

/// What is told when a payment is durable.
type Done = oneshot::Sender<()>;

/// Rows of payments that have been decided and not written, in the order in which they have to be.
type Prepared = Arc<Mutex<VecDeque<Vec<Change>>>>;

/// Serves until the input ends.
pub(super) fn run(arguments: &Arguments, place: &Place, batch_max: usize) -> Result<()> {
    let (recorder, opening) = Recorder::new(arguments.books)?;
    let mut limit = limit::open(place)?;
    limit.write(&opening)?;
    let prepared = Prepared::default();
    let (sender, waiting) = sync_channel(WAITING_MAX);
    let rows = Arc::clone(&prepared);
    // Not waited for at the end: what it would still write is nobody's.
    thread::Builder::new()
        .name("writer".to_owned())
        .spawn(move || write(limit.as_mut(), &waiting, &rows, batch_max))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start threads")?;
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).context("cannot listen")?;
    let address = listener.local_addr()?.to_string();
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    let state = Service { sender, answer: "x".repeat(arguments.answer_bytes).into() };
    let router = Router::new().route("/v1/payments", post(accept)).with_state(state);
    runtime.spawn(async move { axum::serve(listener, router).await });
    let series = Series { number: 0, books: arguments.books, parts: 1, part: 0 };
    let told = Told { address: Some(address), secret: Some("qk_limit".to_owned()), ..Told::default() };
    obey(&mut Preparing { recorder, series, next: 0, prepared }, told)
}

struct Preparing {
    recorder: Recorder,
    series: Series,
    next: u64,
    prepared: Prepared,
}

impl Turns for Preparing {
    fn prepare(&mut self, count: u64) -> Result<()> {
        for _ in 0..count {
            let changes = self.recorder.record(&self.series, self.next..self.next + 1)?;
            self.next += 1;
            self.prepared.lock().unwrap_or_else(PoisonError::into_inner).push_back(changes);
        }
        Ok(())
    }

    fn go(&mut self) -> Result<Told> {
        Ok(Told::default())
    }
}

fn write(limit: &mut dyn Limit, waiting: &Receiver<Done>, prepared: &Mutex<VecDeque<Vec<Change>>>, batch_max: usize) {
    while let Ok(first) = waiting.recv() {
        let mut batch = vec![first];
        batch.extend(waiting.try_iter().take(batch_max - 1));
        let rows: Vec<Change> = {
            let mut prepared = prepared.lock().unwrap_or_else(PoisonError::into_inner);
            let count = batch.len().min(prepared.len());
            prepared.drain(..count).flatten().collect()
        };
        if let Err(error) = limit.write(&rows) {
            // Whoever waits is answered 500, and the measurement ends there.
            tracing::error!(%error, "the limit's rows were not written");
            continue;
        }
        for done in batch {
            let _ = done.send(());
        }
    }
}

#[derive(Clone)]
struct Service {
    sender: SyncSender<Done>,
    answer: Bytes,
}

/// As much of a request as has to be read before anything can be written of it.
#[derive(Deserialize)]
struct Asked<'a> {
    customer: &'a str,
    amount: i64,
    currency: &'a str,
    gateway: &'a str,
    payment_method: &'a str,
    reference: &'a str,
}

async fn accept(State(service): State<Service>, headers: http::HeaderMap, body: Bytes) -> Response {
    let is_whole = serde_json::from_slice::<Asked<'_>>(&body).is_ok_and(|asked| asked.is_whole())
        && headers.contains_key("idempotency-key")
        && headers.contains_key(http::header::AUTHORIZATION);
    if !is_whole {
        return http::StatusCode::BAD_REQUEST.into_response();
    }
    let (sender, done) = oneshot::channel();
    if service.sender.try_send(sender).is_err() || done.await.is_err() {
        return http::StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let headers = [
        ("content-type", "application/json"),
        ("location", "/v1/commands/cmd_00000000000000000000000000"),
        ("retry-after", "2"),
        ("preference-applied", "respond-async"),
        ("request-id", "req_00000000000000000000000000000000"),
    ];
    (http::StatusCode::ACCEPTED, headers, service.answer).into_response()
}

impl Asked<'_> {
    fn is_whole(&self) -> bool {
        let texts = [self.customer, self.currency, self.gateway, self.payment_method, self.reference];
        self.amount > 0 && texts.iter().all(|text| !text.is_empty())
    }
}
