//! The local socket: operators' commands through a running server.
//!
//! `DIR/control.sock` speaks HTTP and JSON and is open to the owner of the data alone, so it asks for no credential:
//! whoever can open it could as well stop the server and write to the data. What an operation does is in
//! [`crate::operate`].

use crate::data::Data;
use crate::operate::{OperateError, Operation, PlanError, REASON_WANTED, conclude, is_reason, plan};
use crate::repairs::{self, ReplayError};
use crate::runtime::{Handle, ReadError, SubmitError};
use crate::switches;
use crate::transport::ensure_cryptography;
use axum::extract::{DefaultBodyLimit, Path as PathOf, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::UnixListener;

/// Longest request, in bytes.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// How long a client waits for an answer.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// Where the socket of a data directory is.
#[must_use]
pub fn socket_path(directory: &Path) -> PathBuf {
    directory.join("control.sock")
}

/// Opens the socket. The caller holds the lock on the data, so a socket that is there belongs to a dead process.
pub(crate) fn listen(path: &Path) -> io::Result<UnixListener> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    // The directory is the owner's alone, so nobody else was let in meanwhile.
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// What the socket serves.
pub(crate) fn router(handle: Handle) -> Router {
    let create_tenant = |State(handle): State<Handle>, Json(body): Json<Map<String, Value>>| async move {
        answer(&handle, operation("create_tenant", body)).await
    };
    let create_key = |State(handle): State<Handle>, Json(body): Json<Map<String, Value>>| async move {
        answer(&handle, operation("create_key", body)).await
    };
    let revoke_key = |State(handle): State<Handle>, PathOf(id): PathOf<String>| async move {
        answer(&handle, Ok(Operation::RevokeKey { id })).await
    };
    let rotate_key = |State(handle): State<Handle>, Json(body): Json<Map<String, Value>>| async move {
        answer(&handle, operation("rotate_key", body)).await
    };
    let list_tenants = |State(handle): State<Handle>| async move { answer(&handle, Ok(Operation::ListTenants)).await };
    let list_keys = |State(handle): State<Handle>| async move { answer(&handle, Ok(Operation::ListKeys)).await };
    let pause = |State(handle): State<Handle>, Json(body): Json<Map<String, Value>>| async move {
        answer(&handle, operation("pause", body)).await
    };
    let resume = |State(handle): State<Handle>, Json(body): Json<Map<String, Value>>| async move {
        answer(&handle, operation("resume", body)).await
    };
    let end_recovery = |State(handle): State<Handle>, Json(body): Json<Map<String, Value>>| async move {
        answer(&handle, operation("end_recovery", body)).await
    };
    let requeue = |State(handle): State<Handle>, Json(body): Json<Map<String, Value>>| async move {
        answer(&handle, operation("requeue", body)).await
    };
    let replay = |State(handle): State<Handle>, Json(body): Json<Map<String, Value>>| async move {
        answer(&handle, operation("replay", body)).await
    };
    let prune = |State(handle): State<Handle>, Json(body): Json<Map<String, Value>>| async move {
        answer(&handle, operation("prune", body)).await
    };
    let reseal = |State(handle): State<Handle>, Json(body): Json<Map<String, Value>>| async move {
        answer(&handle, operation("reseal", body)).await
    };
    let retire = |State(handle): State<Handle>, Json(body): Json<Map<String, Value>>| async move {
        answer(&handle, operation("retire_master_keys", body)).await
    };
    Router::new()
        .route("/reseal", post(reseal))
        .route("/retire-master-keys", post(retire))
        .route("/requeue", post(requeue))
        .route("/replay", post(replay))
        .route("/prune", post(prune))
        .route("/pause", post(pause))
        .route("/end-recovery", post(end_recovery))
        .route("/resume", post(resume))
        .route("/tenants", get(list_tenants).post(create_tenant))
        .route("/keys", get(list_keys).post(create_key))
        .route("/keys/{id}/revoke", post(revoke_key))
        .route("/rotate-key", post(rotate_key))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(handle)
}

/// The operation of this name with the members of a body.
fn operation(name: &str, mut members: Map<String, Value>) -> Result<Operation, OperateError> {
    members.insert("operation".to_owned(), name.into());
    serde_json::from_value(Value::Object(members)).map_err(|error| OperateError::Invalid(error.to_string()))
}

async fn answer(handle: &Handle, operation: Result<Operation, OperateError>) -> Response {
    let result = match operation {
        Ok(operation) => perform(handle, operation).await,
        Err(error) => Err(error),
    };
    match result {
        Ok(value) => Json(value).into_response(),
        Err(error) => {
            let (status, code) = match &error {
                OperateError::Invalid(_) => (StatusCode::BAD_REQUEST, "invalid"),
                OperateError::Conflict(_) => (StatusCode::CONFLICT, "conflict"),
                OperateError::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
                OperateError::NotStored(_) | OperateError::Store { .. } | OperateError::Socket { .. } => {
                    (StatusCode::INTERNAL_SERVER_ERROR, "not_stored")
                }
            };
            (status, Json(json!({ "code": code, "message": message(&error) }))).into_response()
        }
    }
}

/// What the other side makes the same error of; it names the kind itself.
fn message(error: &OperateError) -> String {
    match error {
        OperateError::Invalid(what)
        | OperateError::Conflict(what)
        | OperateError::Unavailable(what)
        | OperateError::NotStored(what) => what.clone(),
        OperateError::Store { .. } | OperateError::Socket { .. } => error.to_string(),
    }
}

/// Carries an operation out through the running engine.
pub(crate) async fn perform(handle: &Handle, operation: Operation) -> Result<Value, OperateError> {
    if let Operation::Replay { event, gateway, reason } = &operation {
        return replay(handle, event, gateway.as_deref(), reason).await;
    }
    let now = handle.now();
    // The plan's own refusal travels beside the store's errors.
    let configured: BTreeSet<String> = handle.config().gateways.keys().cloned().collect();
    let planned = handle.read(move |reader| match plan(reader, &operation, &configured, now) {
        Ok(plan) => Ok(Ok(plan)),
        Err(PlanError::Refused(refused)) => Ok(Err(refused)),
        Err(PlanError::Store(error)) => Err(error),
    });
    let unread = |error| match error {
        ReadError::Store(error) => OperateError::NotStored(error.to_string()),
        error => OperateError::Unavailable(error.to_string()),
    };
    let plan = planned.await.map_err(unread)??;
    for submission in plan.submissions {
        let outcome = handle.submit(submission).await.map_err(|error| match error {
            SubmitError::Overloaded { .. } | SubmitError::Closed => OperateError::Unavailable(error.to_string()),
        })?;
        conclude(outcome)?;
    }
    handle.read(|reader| plan.answer.read(reader)).await.map_err(unread)
}

/// Applies a stored event again: only a server knows how to read what its gateways sent.
async fn replay(handle: &Handle, event: &str, gateway: Option<&str>, reason: &str) -> Result<Value, OperateError> {
    if !is_reason(reason) {
        return Err(OperateError::Invalid(REASON_WANTED.to_owned()));
    }
    let word = repairs::word(switches::OPERATOR.to_owned(), reason.to_owned());
    let submission = repairs::replay(handle, gateway, event, word).await.map_err(|error| match error {
        ReplayError::Unknown | ReplayError::Pruned | ReplayError::Unreadable(_) => {
            OperateError::Conflict(error.to_string())
        }
        ReplayError::Read(error) => OperateError::Unavailable(error.to_string()),
    })?;
    let unavailable = |error: SubmitError| OperateError::Unavailable(error.to_string());
    conclude(handle.submit(submission).await.map_err(unavailable)?)?;
    Ok(json!({ "event": event }))
}

/// Has the server that runs on this data carry an operation out; none when no server runs there.
///
/// # Errors
///
/// [`OperateError`], as the server answers it, or `Socket` when it does not answer as it should.
pub async fn call(data: &Data, operation: &Operation) -> Result<Option<Value>, OperateError> {
    let Some(path) = data.socket().filter(|path| path.exists()) else { return Ok(None) };
    let socket_error = |reason: String| OperateError::Socket { path: path.display().to_string(), reason };
    ensure_cryptography();
    let client = reqwest::Client::builder()
        .unix_socket(path.as_path())
        .no_proxy()
        .retry(reqwest::retry::never())
        .redirect(reqwest::redirect::Policy::none())
        .tls_certs_only([])
        .timeout(CALL_TIMEOUT)
        .build()
        .map_err(|error| socket_error(error.to_string()))?;
    let (method, route, body) = request_of(operation);
    let url = format!("http://control{route}");
    let answer = match client.request(method, url).json(&body).send().await {
        Ok(answer) => answer,
        // A socket nobody listens at was left by a process that was killed.
        Err(error) if error.is_connect() => return Ok(None),
        Err(error) => return Err(socket_error(error.without_url().to_string())),
    };
    let status = answer.status();
    let value: Value = answer.json().await.map_err(|error| socket_error(error.without_url().to_string()))?;
    if status.is_success() { Ok(Some(value)) } else { Err(error_of(&value)) }
}

fn request_of(operation: &Operation) -> (reqwest::Method, String, Value) {
    let nothing = Value::Null;
    match operation {
        Operation::CreateTenant { name, mode } => {
            (reqwest::Method::POST, "/tenants".into(), json!({ "name": name, "mode": mode }))
        }
        Operation::ListTenants => (reqwest::Method::GET, "/tenants".into(), nothing),
        Operation::CreateKey { tenant, name, scope } => {
            let body = json!({ "tenant": tenant, "name": name, "scope": scope });
            (reqwest::Method::POST, "/keys".into(), body)
        }
        Operation::ListKeys => (reqwest::Method::GET, "/keys".into(), nothing),
        Operation::RevokeKey { id } => (reqwest::Method::POST, format!("/keys/{}/revoke", plain(id)), nothing),
        Operation::RotateKey { id, overlap_s } => {
            (reqwest::Method::POST, "/rotate-key".into(), json!({ "id": id, "overlap_s": overlap_s }))
        }
        Operation::Pause { gateway, reason } => {
            (reqwest::Method::POST, "/pause".into(), json!({ "gateway": gateway, "reason": reason }))
        }
        Operation::Requeue { gateway, object, reason } => {
            let body = json!({ "gateway": gateway, "object": object, "reason": reason });
            (reqwest::Method::POST, "/requeue".into(), body)
        }
        Operation::Replay { event, gateway, reason } => {
            let body = json!({ "event": event, "gateway": gateway, "reason": reason });
            (reqwest::Method::POST, "/replay".into(), body)
        }
        Operation::Reseal(rows) => (reqwest::Method::POST, "/reseal".into(), json!(rows)),
        Operation::RetireMasterKeys { ids } => {
            (reqwest::Method::POST, "/retire-master-keys".into(), json!({ "ids": ids }))
        }
        Operation::Prune(rows) => (reqwest::Method::POST, "/prune".into(), json!(rows)),
        Operation::EndRecovery { gateway, reason } => {
            let body = json!({ "gateway": gateway, "reason": reason });
            (reqwest::Method::POST, "/end-recovery".into(), body)
        }
        Operation::Resume { gateway, reason } => {
            (reqwest::Method::POST, "/resume".into(), json!({ "gateway": gateway, "reason": reason }))
        }
    }
}

/// An id as a part of a path: what is no character of an id would lead elsewhere, and no key is called that.
fn plain(id: &str) -> String {
    id.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect()
}

fn error_of(value: &Value) -> OperateError {
    let text = value["message"].as_str().unwrap_or("the server gave no reason").to_owned();
    match value["code"].as_str() {
        Some("invalid") => OperateError::Invalid(text),
        Some("conflict") => OperateError::Conflict(text),
        Some("unavailable") => OperateError::Unavailable(text),
        _ => OperateError::NotStored(text),
    }
}
