//! `GET /openapi.json`: the contract of this API.

use crate::{openapi, render};
use axum::response::Response;
use std::sync::LazyLock;

static TEXT: LazyLock<String> = LazyLock::new(openapi::text);

pub(super) async fn show() -> Response {
    render::response(200, "application/json", TEXT.clone().into_bytes())
}
