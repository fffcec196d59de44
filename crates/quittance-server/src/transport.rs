//! Requests to a gateway over HTTP, and what became of each.
//!
//! Owns the connections, the credential and the dialect's headers of one gateway. A request goes out once: no redirect is followed, nothing is
//! sent a second time, no proxy is taken from the environment, no cookie is kept. (The pool below takes a new connection
//! when an idle one turns out to be closed *before* the first byte was written to it; that is not a second send.)
//! Does not own what an answer means: a [`Delivery`] is decoded by the connectors.

use crate::config::Secret;
use quittance_connectors::http::update::{Change, Verb};
use quittance_connectors::message::{Delivery, Headers, MAX_ANSWER_BYTES, Method, Request, Response};
use quittance_core::fact::Loss;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use std::error::Error as _;
use std::time::Duration;

/// How long a connection may take to be made, name look-up and TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Idle connections are closed before gateways commonly close theirs (60 s and more), so that a request rarely meets
/// one that is closing.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

const JSON: &str = "application/json";

const USER_AGENT: &str = concat!("Quittance/", env!("CARGO_PKG_VERSION"));

/// The way to one gateway. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Transport {
    client: reqwest::Client,
    base: String,
    credential: Option<(HeaderName, HeaderValue)>,
    dialect: Headers,
}

/// How a request says whose it is.
#[derive(Clone, Copy, Debug)]
pub enum Credential<'a> {
    /// It does not.
    None,
    /// `Authorization: Bearer …`.
    Bearer(&'a Secret),
    /// `Authorization: Basic …` (RFC 7617).
    Basic {
        /// The name before the colon.
        username: &'a str,
        /// The secret after it.
        password: &'a Secret,
    },
    /// A header of the API's own.
    Header {
        /// Its name.
        name: &'a str,
        /// Its value.
        value: &'a Secret,
    },
}

/// Why there is no way to a gateway.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// The credential cannot be a header.
    #[error("the API key for {base} holds characters that no header can carry")]
    BadKey {
        /// The gateway's address.
        base: String,
    },
    /// The HTTP client cannot be set up.
    #[error("cannot set up connections to {base}")]
    Client {
        /// The gateway's address.
        base: String,
        /// Cause.
        #[source]
        source: reqwest::Error,
    },
}

/// Makes ring the process's cryptography for TLS. May be called any number of times.
pub fn ensure_cryptography() {
    // An error says that a provider is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

impl Transport {
    /// Prepares the way to a gateway; connects to nothing yet.
    ///
    /// # Errors
    ///
    /// [`TransportError`]; with `https`, also when this machine has no certificates to trust.
    pub fn new(base: &str, api_key: &Secret, dialect: Headers, connections_max: usize) -> Result<Self, TransportError> {
        Self::with_credential(base, Credential::Bearer(api_key), dialect, connections_max)
    }

    /// As [`Transport::new`], with any kind of credential.
    ///
    /// # Errors
    ///
    /// [`TransportError`].
    pub fn with_credential(
        base: &str,
        credential: Credential<'_>,
        dialect: Headers,
        connections_max: usize,
    ) -> Result<Self, TransportError> {
        ensure_cryptography();
        let base = base.to_owned();
        let mut builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .http1_only()
            .no_proxy()
            .referer(false)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(connections_max)
            .tcp_nodelay(true);
        if base.starts_with("http://") {
            // Without TLS there is nothing to verify, so a machine without certificates will do.
            builder = builder.tls_certs_only([]);
        }
        match builder.build() {
            Ok(client) => match header_of(&client, &base, credential) {
                Ok(credential) => Ok(Self { client, base, credential, dialect }),
                Err(()) => Err(TransportError::BadKey { base }),
            },
            Err(source) => Err(TransportError::Client { base, source }),
        }
    }

    /// Sends a request once and waits for its whole answer, at most so long.
    ///
    /// **Effects**: whatever the gateway makes of it. Says `NotSent` only where no byte of the request can have left.
    pub async fn deliver(&self, request: &Request, patience: Duration) -> Delivery {
        self.send(self.build(request), patience).await
    }

    /// The same of a request that changes a record of an API. It has headers of its own, and none of the dialect's.
    pub async fn deliver_change(&self, change: &Change, patience: Duration) -> Delivery {
        self.send(self.build_change(change), patience).await
    }

    async fn send(&self, built: Result<reqwest::Request, String>, patience: Duration) -> Delivery {
        let request = match built {
            Ok(request) => request,
            Err(reason) => return Delivery::NotSent { reason },
        };
        match tokio::time::timeout(patience, self.exchange(request)).await {
            Ok(delivery) => delivery,
            Err(_) => lost(Loss::Timeout, format!("no whole answer within {} ms", patience.as_millis())),
        }
    }

    async fn exchange(&self, request: reqwest::Request) -> Delivery {
        match self.client.execute(request).await {
            Ok(answer) => collect(answer).await,
            Err(error) => classify(&error),
        }
    }

    /// The request as it goes out. Refuses what would not arrive as the exact bytes that were hashed.
    fn build(&self, request: &Request) -> Result<reqwest::Request, String> {
        let url = self.url(&request.target)?;
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
        };
        let mut built = reqwest::Request::new(method, url);
        *built.headers_mut() = self.headers(request)?;
        if request.method == Method::Post {
            *built.body_mut() = Some(request.body.clone().into());
        }
        Ok(built)
    }

    fn build_change(&self, change: &Change) -> Result<reqwest::Request, String> {
        let method = match change.verb {
            Verb::Patch => reqwest::Method::PATCH,
            Verb::Put => reqwest::Method::PUT,
            Verb::Post => reqwest::Method::POST,
        };
        let mut built = reqwest::Request::new(method, self.url(&change.target)?);
        for (name, text) in &change.headers {
            let carried = HeaderName::from_bytes(name.as_bytes()).ok().zip(HeaderValue::from_str(text).ok());
            let (name, value) = carried.ok_or_else(|| format!("value of {name} cannot be a header"))?;
            built.headers_mut().insert(name, value);
        }
        built.headers_mut().extend(self.credential.clone());
        *built.body_mut() = Some(change.body.clone().into());
        Ok(built)
    }

    /// The address of a target, which is not changed on the way.
    fn url(&self, target: &str) -> Result<reqwest::Url, String> {
        let url = reqwest::Url::parse(&format!("{}{target}", self.base))
            .map_err(|error| format!("target is no part of an address: {error}"))?;
        let arrives = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        if arrives == target { Ok(url) } else { Err("target would be changed on the way".to_owned()) }
    }

    fn headers(&self, request: &Request) -> Result<HeaderMap, String> {
        let mut headers = HeaderMap::new();
        headers.extend(self.credential.clone());
        if request.method == Method::Get && self.dialect.content_type == JSON {
            // Some servers answer with a page for people unless they are told.
            headers.insert(ACCEPT, HeaderValue::from_static(JSON));
        }
        let version = Some(request.api_version.as_str()).filter(|version| !version.is_empty());
        add(&mut headers, "version", self.dialect.version, version)?;
        add(&mut headers, "key", self.dialect.key, request.idempotency_key.as_deref())?;
        if request.method == Method::Post {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.dialect.content_type));
            // Left to itself the client says nothing about an empty body, and some servers answer that with 411.
            headers.insert(CONTENT_LENGTH, HeaderValue::from(request.body.len()));
        }
        Ok(headers)
    }
}

/// The header that carries a credential.
fn header_of(
    client: &reqwest::Client,
    base: &str,
    credential: Credential<'_>,
) -> Result<Option<(HeaderName, HeaderValue)>, ()> {
    let (name, value) = match credential {
        Credential::None => return Ok(None),
        Credential::Bearer(secret) => (AUTHORIZATION, format!("Bearer {}", secret.expose())),
        Credential::Header { name, value } => {
            (HeaderName::from_bytes(name.as_bytes()).map_err(drop)?, value.expose().to_owned())
        }
        Credential::Basic { username, password } => {
            // Encoded by the client's own rules; nothing is sent.
            let request = client.get(base).basic_auth(username, Some(password.expose())).build().map_err(drop)?;
            let value = request.headers().get(AUTHORIZATION).ok_or(())?;
            return Ok(Some((AUTHORIZATION, value.clone())));
        }
    };
    let mut value = HeaderValue::from_str(&value).map_err(drop)?;
    value.set_sensitive(true);
    Ok(Some((name, value)))
}

/// Adds what a request says under the dialect's name for it. What the dialect has no name for belongs to a request of
/// another one, and is not left out in silence.
fn add(headers: &mut HeaderMap, what: &str, name: Option<&'static str>, text: Option<&str>) -> Result<(), String> {
    let Some(text) = text else { return Ok(()) };
    let name = name.ok_or_else(|| format!("the request has a {what}, for which this dialect has no header"))?;
    let value = HeaderValue::from_str(text).map_err(|_| format!("value of {name} cannot be a header"))?;
    headers.insert(HeaderName::from_static(name), value);
    Ok(())
}

/// Reads the whole answer, within limits.
async fn collect(mut answer: reqwest::Response) -> Delivery {
    let status = answer.status().as_u16();
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = answer.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
    let mut body = Vec::new();
    loop {
        match answer.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > MAX_ANSWER_BYTES => {
                return lost(Loss::Unreadable, format!("answer is longer than {MAX_ANSWER_BYTES} bytes"));
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Delivery::Answered(Response { status, headers, body }),
            Err(error) => return lost(loss_of(&error), describe(&error)),
        }
    }
}

/// Nothing left this machine where the connection was never made; everything else may have arrived.
fn classify(error: &reqwest::Error) -> Delivery {
    if error.is_connect() || error.is_builder() {
        return Delivery::NotSent { reason: describe(error) };
    }
    lost(loss_of(error), describe(error))
}

fn loss_of(error: &reqwest::Error) -> Loss {
    if error.is_timeout() { Loss::Timeout } else { Loss::Reset }
}

const fn lost(loss: Loss, reason: String) -> Delivery {
    Delivery::Lost { loss, reason }
}

/// The chain of causes, without the address: a target can name a customer.
pub(crate) fn describe(error: &reqwest::Error) -> String {
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    if causes.is_empty() { "request failed".to_owned() } else { causes.join(": ") }
}
