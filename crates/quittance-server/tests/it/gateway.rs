//! A gateway in a few lines: payment intents in memory, and misbehaviour on demand.

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// What the gateway does instead of answering, one for each request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Executes, then breaks the connection.
    LoseAnswer,
    /// Executes nothing and breaks the connection.
    Drop,
    /// Answers 401.
    Unauthorised,
    /// Executes, then answers 500.
    ServerError,
    /// Answers 400 where filters are asked for, as some peers do.
    RefuseFilters,
}

#[derive(Default)]
struct Books {
    intents: BTreeMap<String, Value>,
    charges: usize,
    by_key: BTreeMap<String, String>,
    faults: VecDeque<(&'static str, Fault)>,
    is_down: bool,
    requests: Vec<String>,
    /// Whether whatever is read breaks off.
    is_mute: bool,
    /// The credential of each request, in order.
    credentials: Vec<String>,
    arrived: usize,
}

/// The gateway. Clones are the same one.
#[derive(Clone, Default)]
pub struct Gateway {
    books: Arc<Mutex<Books>>,
    /// Whether requests wait before anything is made of them.
    is_holding: watch::Sender<bool>,
}

impl Gateway {
    /// Serves on a port of its own; its address.
    pub async fn start(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new()
            .route("/v1/payment_intents", post(create).get(list))
            .route("/v1/payment_intents/{id}", get(read))
            .route("/v1/payment_intents/{id}/confirm", post(confirm))
            .route("/v1/payment_intents/{id}/cancel", post(cancel))
            .layer(from_fn_with_state(self.clone(), arrive))
            .with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        base
    }

    /// The next request of this kind (`create`, `confirm`, `read`, `list`) meets this fault; faults queue up.
    pub fn fault(&self, kind: &'static str, fault: Fault) {
        self.books.lock().unwrap().faults.push_back((kind, fault));
    }

    /// While down, every connection is broken off.
    pub fn set_down(&self, is_down: bool) {
        self.books.lock().unwrap().is_down = is_down;
    }

    /// While mute, every read breaks off; what is written is carried out and answered.
    pub fn set_mute(&self, is_mute: bool) {
        self.books.lock().unwrap().is_mute = is_mute;
    }

    /// The credentials that came with requests, in order, each once where it comes again and again.
    pub fn credentials(&self) -> Vec<String> {
        let mut credentials = self.books.lock().unwrap().credentials.clone();
        credentials.dedup();
        credentials
    }

    /// While holding, requests arrive and nothing is made of them.
    pub fn set_holding(&self, is_holding: bool) {
        self.is_holding.send_replace(is_holding);
    }

    /// How many requests arrived, held or not.
    pub fn arrived(&self) -> usize {
        self.books.lock().unwrap().arrived
    }

    /// Charges made, ever.
    pub fn charges(&self) -> usize {
        self.books.lock().unwrap().charges
    }

    /// Kinds of the requests that were received, in order.
    pub fn requests(&self) -> Vec<String> {
        self.books.lock().unwrap().requests.clone()
    }

    /// How many intents there are.
    pub fn intents(&self) -> usize {
        self.books.lock().unwrap().intents.len()
    }

    fn meet(&self, kind: &str) -> Option<Fault> {
        let mut books = self.books.lock().unwrap();
        books.requests.push(kind.to_owned());
        if books.is_down || books.is_mute && matches!(kind, "read" | "list" | "list-all") {
            return Some(Fault::Drop);
        }
        match books.faults.front() {
            Some((meant, fault)) if *meant == kind => {
                let fault = *fault;
                books.faults.pop_front();
                Some(fault)
            }
            _ => None,
        }
    }
}

async fn arrive(State(gateway): State<Gateway>, request: Request, next: Next) -> Response {
    {
        let mut books = gateway.books.lock().unwrap();
        books.arrived += 1;
        let credential = request.headers().get("authorization").map(|value| value.to_str().unwrap().to_owned());
        books.credentials.extend(credential);
    }
    let mut is_holding = gateway.is_holding.subscribe();
    is_holding.wait_for(|is_holding| !is_holding).await.unwrap();
    next.run(request).await
}

/// An answer that breaks off before its first byte is not offered by a router; one whose body breaks off is lost too.
pub fn broken() -> Response {
    let torn = futures_body();
    Response::builder().header("content-length", "100").body(torn).unwrap()
}

fn futures_body() -> Body {
    struct Torn;
    impl axum::body::HttpBody for Torn {
        type Data = axum::body::Bytes;
        type Error = std::io::Error;
        fn poll_frame(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<hyper::body::Frame<Self::Data>, Self::Error>>> {
            std::task::Poll::Ready(Some(Err(std::io::Error::other("torn"))))
        }
    }
    Body::new(Torn)
}

fn error(status: StatusCode, kind: &str) -> Response {
    (status, axum::Json(json!({ "error": { "type": kind } }))).into_response()
}

fn spoiled(fault: Option<Fault>, good: Response) -> Response {
    match fault {
        None => good,
        Some(Fault::LoseAnswer | Fault::Drop) => broken(),
        Some(Fault::Unauthorised) => error(StatusCode::UNAUTHORIZED, "invalid_request_error"),
        Some(Fault::ServerError) => error(StatusCode::INTERNAL_SERVER_ERROR, "api_error"),
        Some(Fault::RefuseFilters) => error(StatusCode::BAD_REQUEST, "invalid_request_error"),
    }
}

fn executes(fault: Option<Fault>) -> bool {
    matches!(fault, None | Some(Fault::LoseAnswer | Fault::ServerError))
}

fn form(text: &str) -> BTreeMap<String, String> {
    let url = reqwest::Url::parse(&format!("http://form/?{text}")).unwrap();
    url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

async fn create(State(gateway): State<Gateway>, headers: HeaderMap, body: String) -> Response {
    let fault = gateway.meet("create");
    if !executes(fault) {
        return spoiled(fault, StatusCode::OK.into_response());
    }
    let mut books = gateway.books.lock().unwrap();
    let key = headers["idempotency-key"].to_str().unwrap().to_owned();
    let id = match books.by_key.get(&key) {
        Some(id) => id.clone(),
        None => {
            let id = format!("pi_{:06}", books.intents.len());
            let fields = form(&body);
            let intent = json!({
                "id": id, "object": "payment_intent", "status": "requires_confirmation",
                "amount": fields["amount"].parse::<i64>().unwrap(), "amount_received": 0,
                "currency": fields["currency"], "latest_charge": null, "last_payment_error": null,
                "payment_method": fields["payment_method"],
                "metadata": { "effect_id": fields["metadata[effect_id]"] },
            });
            books.intents.insert(id.clone(), intent);
            books.by_key.insert(key, id.clone());
            id
        }
    };
    spoiled(fault, axum::Json(books.intents[&id].clone()).into_response())
}

async fn confirm(State(gateway): State<Gateway>, Path(id): Path<String>) -> Response {
    let fault = gateway.meet("confirm");
    if !executes(fault) {
        return spoiled(fault, StatusCode::OK.into_response());
    }
    let mut books = gateway.books.lock().unwrap();
    if books.intents[&id]["status"] != "succeeded" {
        books.charges += 1;
        let charge = format!("ch_{}", books.charges);
        let intent = books.intents.get_mut(&id).unwrap();
        intent["amount_received"] = intent["amount"].clone();
        intent["status"] = "succeeded".into();
        intent["latest_charge"] = charge.into();
    }
    spoiled(fault, axum::Json(books.intents[&id].clone()).into_response())
}

async fn cancel(State(gateway): State<Gateway>, Path(id): Path<String>) -> Response {
    let fault = gateway.meet("cancel");
    let mut books = gateway.books.lock().unwrap();
    let intent = books.intents.get_mut(&id).unwrap();
    if intent["status"] == "succeeded" {
        let body = json!({ "error": { "type": "invalid_request_error", "code": "payment_intent_unexpected_state" } });
        return spoiled(fault, (StatusCode::BAD_REQUEST, axum::Json(body)).into_response());
    }
    intent["status"] = "canceled".into();
    spoiled(fault, axum::Json(intent.clone()).into_response())
}

async fn read(State(gateway): State<Gateway>, Path(id): Path<String>) -> Response {
    let fault = gateway.meet("read");
    let books = gateway.books.lock().unwrap();
    match books.intents.get(&id) {
        Some(intent) => spoiled(fault, axum::Json(intent.clone()).into_response()),
        None => error(StatusCode::NOT_FOUND, "invalid_request_error"),
    }
}

/// Pages of two, newest first.
async fn list(State(gateway): State<Gateway>, RawQuery(query): RawQuery) -> Response {
    let fields = form(&query.unwrap_or_default());
    let has_filters = fields.contains_key("created[gte]");
    let fault = gateway.meet(if has_filters { "list" } else { "list-all" });
    let books = gateway.books.lock().unwrap();
    let after = fields.get("starting_after");
    let mut rest = books.intents.iter().rev().filter(|(id, _)| after.is_none_or(|after| *id < after));
    let data: Vec<Value> = rest.by_ref().take(2).map(|(_, intent)| intent.clone()).collect();
    let page = json!({ "object": "list", "data": data, "has_more": rest.next().is_some() });
    spoiled(fault, axum::Json(page).into_response())
}
