//! A whole page: its sections in the frame that all share. What goes out is looked through once more for characters that do harm.

use super::view::{Section, Tone, harmless};
use super::visitor::{FORM_TOKEN, Visitor};
use super::{ROOT, assets};
use crate::problem::{Problem, catalogue};
use crate::render;
use askama::Template;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use quittance_core::tenant::Scope;

const HTML: &str = "text/html; charset=utf-8";

/// Which part of the dashboard a page belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Overview,
    Payments,
    Discrepancies,
    Pairs,
    Trace,
    Ledger,
    Settings,
    Nothing,
}

/// What can be reached from every page, and the scope that is needed for it.
const PARTS: [(Part, &str, &str, Scope); 7] = [
    (Part::Overview, "Overview", ROOT, Scope::Read),
    (Part::Discrepancies, "Discrepancies", "/dashboard/discrepancies", Scope::Read),
    (Part::Payments, "Payments", "/dashboard/payments", Scope::Read),
    (Part::Trace, "Trace", "/dashboard/trace", Scope::Read),
    (Part::Pairs, "Pairs", "/dashboard/pairs", Scope::Admin),
    (Part::Ledger, "Ledger", "/dashboard/ledger", Scope::Read),
    (Part::Settings, "Settings", "/dashboard/settings", Scope::Read),
];

/// A page.
pub(super) struct Page {
    pub(super) title: String,
    pub(super) part: Part,
    pub(super) sections: Vec<Section>,
    /// Whether it keeps itself current where scripts run.
    pub(super) is_live: bool,
}

impl Page {
    pub(super) fn new(part: Part, title: impl Into<String>, sections: Vec<Section>) -> Self {
        Self { title: title.into(), part, sections, is_live: false }
    }

    /// 200 with it.
    pub(super) fn answer(&self, visitor: &Visitor) -> Response {
        self.answer_as(StatusCode::OK, Some(visitor))
    }

    fn answer_as(&self, status: StatusCode, visitor: Option<&Visitor>) -> Response {
        let [style, script, icon] = assets::addresses();
        let is_here = |part: Part| visitor.is_some() && part == self.part;
        let allows = |needed: Scope| visitor.is_some_and(|visitor| visitor.caller.scope.allows(needed));
        let parts = PARTS.into_iter().filter(|(.., scope)| allows(*scope));
        let frame = Frame {
            title: &self.title,
            style: &style,
            script: self.is_live.then_some(script.as_str()),
            icon: &icon,
            parts: parts.map(|(part, name, href, _)| (name, href, is_here(part))).collect(),
            who: visitor.map(|visitor| Who {
                tenant: &visitor.caller.tenant.name,
                mode: visitor.caller.tenant.mode.name(),
                role: visitor.role(),
            }),
            form_token: visitor.map_or("", |visitor| visitor.session.form_token.as_str()),
            token_name: FORM_TOKEN,
            sections: &self.sections,
            is_live: self.is_live,
        };
        rendered(status, &frame)
    }
}

#[derive(Template)]
#[template(path = "dashboard/frame.html")]
struct Frame<'a> {
    title: &'a str,
    style: &'a str,
    script: Option<&'a str>,
    icon: &'a str,
    parts: Vec<(&'static str, &'static str, bool)>,
    who: Option<Who<'a>>,
    form_token: &'a str,
    token_name: &'static str,
    sections: &'a [Section],
    is_live: bool,
}

struct Who<'a> {
    tenant: &'a str,
    mode: &'static str,
    role: &'static str,
}

/// The part of a page that changes.
#[derive(Template)]
#[template(path = "dashboard/sections.html")]
struct Fragment<'a> {
    sections: &'a [Section],
    token_name: &'static str,
    form_token: &'a str,
}

/// Sections without the frame, for a page that has one.
pub(super) fn fragment(visitor: &Visitor, sections: &[Section]) -> String {
    let form_token = visitor.session.form_token.as_str();
    let html = Fragment { sections, token_name: FORM_TOKEN, form_token }.render();
    harmless(&html.unwrap_or_default())
}

/// An answer with what a template makes.
pub(super) fn rendered(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => render::response(status.as_u16(), HTML, harmless(&html).into_bytes()),
        Err(error) => {
            tracing::error!(%error, "a page cannot be rendered");
            render::response(500, HTML, b"<!doctype html><title>Quittance</title><p>The page cannot be shown.".to_vec())
        }
    }
}

/// What went wrong, as a page: the words of the API for it.
pub(super) fn problem_page(visitor: Option<&Visitor>, problem: &Problem) -> Response {
    let kind = problem.kind();
    let notes = problem.said().into_iter().map(|said| Section::Note(Tone::Bad, said));
    let remedy = Section::Note(Tone::Plain, kind.remedy.to_owned());
    let page = Page::new(Part::Nothing, kind.title, notes.chain([remedy]).collect());
    let status = StatusCode::from_u16(kind.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = page.answer_as(status, visitor);
    for (name, value) in problem.headers().filter(|(name, _)| *name == header::RETRY_AFTER) {
        response.headers_mut().insert(name, HeaderValue::from_str(value).unwrap_or(HeaderValue::from_static("1")));
    }
    response
}

/// What no page is at.
pub(super) async fn nowhere(visitor: Visitor) -> Response {
    problem_page(Some(&visitor), &Problem::new(&catalogue::NOT_FOUND, "no page has this address"))
}
