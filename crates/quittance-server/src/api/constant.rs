//! What answers a constant, surrounded and authenticated as everything else is: for measuring what answers cost beside that.

use super::guard;
use crate::auth::authenticate;
use crate::render;
use crate::runtime::Handle;
use axum::Router;
use axum::extract::State;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::HeaderMap;
use quittance_core::tenant::Scope;

/// Answers these bytes to whatever is asked with a credential.
pub fn constant(handle: Handle, body: Bytes) -> Router {
    Router::new()
        .fallback(answer)
        .layer(from_fn_with_state(guard::Guard::new(handle.config()), guard::limit))
        .layer(from_fn(guard::protect))
        .with_state((handle, body))
}

async fn answer(State((handle, body)): State<(Handle, Bytes)>, headers: HeaderMap) -> Response {
    match authenticate(&handle, &headers, Scope::Read).await {
        Ok(_) => render::response(200, "application/json", body.to_vec()),
        Err(problem) => problem.into_response(),
    }
}
