//! `GET /schemas`: the published schemas of events. Needs no credential, for they are the same for everybody.

use super::query::Name;
use super::waiting::or_problem;
use crate::problem::{Problem, catalogue};
use crate::render::{self, EVENT_MEDIA_TYPE, event_type};
use crate::schemas::Schema;
use axum::response::Response;
use quittance_core::event::Kind;
use serde::Serialize;

#[derive(Serialize)]
struct SchemasView {
    schemas: Vec<SchemaView>,
    media_type: &'static str,
    types: Vec<TypeView>,
}

#[derive(Serialize)]
struct SchemaView {
    id: String,
    path: String,
}

#[derive(Serialize)]
struct TypeView {
    r#type: String,
    dataschema: String,
}

/// `GET /schemas`
pub(super) async fn list() -> Response {
    let schema = |schema: Schema| SchemaView { id: schema.urn(), path: format!("/schemas/{}", schema.file()) };
    let kind = |kind: Kind| TypeView { r#type: event_type(kind), dataschema: render::schema_urn(kind.object()) };
    render::ok(&SchemasView {
        schemas: Schema::all().map(schema).collect(),
        media_type: EVENT_MEDIA_TYPE,
        types: Kind::ALL.into_iter().map(kind).collect(),
    })
}

/// `GET /schemas/{name}`
pub(super) async fn show(Name(name): Name) -> Response {
    let unknown = || Problem::new(&catalogue::NOT_FOUND, "no schema is known by this name; GET /schemas lists them");
    let found = Schema::all().find(|schema| schema.file() == name).ok_or_else(unknown);
    or_problem(found.map(|schema| render::response(200, "application/schema+json", schema.text().into_bytes())))
}
