//! Events on their way out: one request for each attempt, signed, to an address that may be sent to.
//!
//! Owns the connections to tenants' endpoints and what an answer counts as. No redirect is followed, no proxy is taken from
//! the environment, nothing is sent twice, and of an answer no more is read than its end needs. Does not own when
//! something is sent, nor what becomes of it.

mod address;
mod guard;
mod signature;

pub(crate) use guard::refusal_of;
pub(crate) use signature::signature as signed;

use crate::clock::{self, Stopwatch};
use crate::render::EVENT_MEDIA_TYPE;
use crate::transport::{describe, ensure_cryptography};
use guard::Guard;
use quittance_core::event::{ATTEMPT_MS_MAX, Attempt};
use quittance_engine::submission::Dispatch;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use std::sync::OnceLock;
use std::time::Duration;

/// How long an endpoint has to answer.
const TIMEOUT: Duration = Duration::from_millis(ATTEMPT_MS_MAX);

/// How long a connection may take to be made, name look-up and TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Idle connections are closed after this.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Idle connections to one endpoint.
const IDLE_MAX: usize = 4;

/// How much of an answer's body is read, so that its connection can be used again.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// How long the rest of an answer may take; after that its connection is closed.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

/// How much is kept of why no answer came, in bytes.
const ERROR_BYTES_MAX: usize = 200;

const USER_AGENT: &str = concat!("Quittance/", env!("CARGO_PKG_VERSION"));

/// How a request was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Posted {
    /// The status.
    pub(crate) status: u16,
    /// How long the receiver wants to be left alone, in seconds.
    pub(crate) retry_after_s: Option<u64>,
}

/// The way to endpoints.
pub(crate) struct Sender {
    allow_private: bool,
    guard: Guard,
    plain: OnceLock<Result<reqwest::Client, String>>,
    secure: OnceLock<Result<reqwest::Client, String>>,
}

impl Sender {
    /// A way to public addresses, or to all where `allow_private` says so.
    pub(crate) fn new(allow_private: bool) -> Self {
        Self { allow_private, guard: Guard::new(allow_private), plain: OnceLock::new(), secure: OnceLock::new() }
    }

    /// Sends an event once.
    ///
    /// **Effects**: whatever its receiver makes of it.
    pub(crate) async fn send(&self, dispatch: &Dispatch) -> Attempt {
        let (at, watch) = (clock::now(), Stopwatch::start());
        let answered = tokio::time::timeout(TIMEOUT, self.exchange(dispatch, at.seconds())).await;
        let took_ms = u64::try_from(watch.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (status, error) = match answered {
            Ok(Ok(answer)) => {
                let status = answer.status().as_u16();
                // What comes after the status changes nothing.
                let _ = tokio::time::timeout(DRAIN_TIMEOUT, drain(answer)).await;
                (Some(status), None)
            }
            Ok(Err(error)) => (None, Some(shortened(error))),
            Err(_) => (None, Some(format!("no answer within {} s", TIMEOUT.as_secs()))),
        };
        Attempt { at, took_ms, status, error }
    }

    /// Posts a body once, with the headers it is given. The address is shown nowhere.
    ///
    /// **Effects**: whatever its receiver makes of it.
    pub(crate) async fn post(&self, url: &str, headers: HeaderMap, body: Vec<u8>) -> Result<Posted, String> {
        let url = reqwest::Url::parse(url).map_err(|error| format!("not an address: {error}"))?;
        if let Some(refusal) = refusal_of(&url, self.allow_private) {
            return Err(refusal);
        }
        let mut request = reqwest::Request::new(reqwest::Method::POST, url);
        (*request.headers_mut(), *request.body_mut()) = (headers, Some(body.into()));
        let client = self.client(request.url().scheme() == "https")?;
        let answered = tokio::time::timeout(TIMEOUT, client.execute(request)).await;
        let answer = answered
            .map_err(|_| format!("no answer within {} s", TIMEOUT.as_secs()))?
            .map_err(|error| describe(&error))?;
        let retry_after_s =
            answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let posted = Posted { status: answer.status().as_u16(), retry_after_s };
        let _ = tokio::time::timeout(DRAIN_TIMEOUT, drain(answer)).await;
        Ok(posted)
    }

    async fn exchange(&self, dispatch: &Dispatch, seconds: i64) -> Result<reqwest::Response, String> {
        let url = reqwest::Url::parse(&dispatch.url).map_err(|error| format!("not an address: {error}"))?;
        if let Some(refusal) = refusal_of(&url, self.allow_private) {
            return Err(refusal);
        }
        let mut request = reqwest::Request::new(reqwest::Method::POST, url);
        *request.headers_mut() = headers(dispatch, seconds)?;
        *request.body_mut() = Some(dispatch.body.clone().into());
        let client = self.client(request.url().scheme() == "https")?;
        client.execute(request).await.map_err(|error| describe(&error))
    }

    /// Made when it is needed: a machine without certificates to trust can send without TLS.
    fn client(&self, is_secure: bool) -> Result<&reqwest::Client, String> {
        let cell = if is_secure { &self.secure } else { &self.plain };
        cell.get_or_init(|| build(is_secure, self.guard.clone())).as_ref().map_err(Clone::clone)
    }
}

/// Reads what is left of an answer, so that its connection can be used again; one that is too long ends it.
async fn drain(mut answer: reqwest::Response) {
    let mut read = 0;
    while let Ok(Some(chunk)) = answer.chunk().await {
        read += chunk.len();
        if read > ANSWER_BYTES_MAX {
            break;
        }
    }
}

fn build(is_secure: bool, guard: Guard) -> Result<reqwest::Client, String> {
    ensure_cryptography();
    let builder = reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .http1_only()
        .no_proxy()
        .referer(false)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .dns_resolver(guard)
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(IDLE_MAX);
    let builder = if is_secure { builder.https_only(true) } else { builder.tls_certs_only([]) };
    builder.build().map_err(|error| describe(&error))
}

fn headers(dispatch: &Dispatch, seconds: i64) -> Result<HeaderMap, String> {
    let id = dispatch.delivery.event.to_string();
    let signature = signature::header(&id, seconds, &dispatch.body, &dispatch.keys);
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(EVENT_MEDIA_TYPE));
    for (name, value) in
        [("webhook-id", id), ("webhook-timestamp", seconds.to_string()), ("webhook-signature", signature)]
    {
        let value = HeaderValue::from_str(&value).map_err(|_| format!("{name} cannot be a header"))?;
        headers.insert(HeaderName::from_static(name), value);
    }
    Ok(headers)
}

fn shortened(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(ERROR_BYTES_MAX));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use quittance_core::id::{EndpointId, EventId, TenantId};
    use quittance_core::time::Timestamp;
    use quittance_engine::submission::DeliveryRef;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    fn dispatch(url: String) -> Dispatch {
        let (tenant, endpoint) = (TenantId::from_bytes([1; 16]), EndpointId::from_bytes([2; 16]));
        let delivery = DeliveryRef { tenant, endpoint, event: EventId::from_bytes([3; 16]), epoch: 1 };
        Dispatch { delivery, url, keys: vec![[7; 32]], body: b"{}".to_vec(), at: Timestamp::default() }
    }

    /// Whoever answers 200 has taken the event, however long the rest of the answer takes.
    #[tokio::test]
    async fn an_answer_counts_by_its_status_although_its_body_never_ends() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/", listener.local_addr().expect("an address"));
        let receiver = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.expect("a connection");
            let mut request = [0; 4_096];
            assert!(socket.read(&mut request).await.expect("a request") > 0);
            socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nab").await.expect("it listens");
            // Until the sender has had enough.
            while socket.read(&mut request).await.is_ok_and(|count| count > 0) {}
        });
        let attempt = Sender::new(true).send(&dispatch(url)).await;
        assert_eq!((attempt.status, attempt.error), (Some(200), None));
        receiver.await.expect("the connection was closed");
    }
}
