//! The story behind an id, as `quittance trace` tells it: a table of what happened, and the same as a drawing.

use super::Dashboard;
use super::page::{Page, Part};
use super::sequence::drawing;
use super::view::{Cell, Field, Filters, Section, Table, Tone, below};
use super::visitor::Visitor;
use crate::api::query::Parameters;
use crate::problem::{Problem, catalogue};
use crate::runtime::Handle;
use axum::extract::State;
use axum::response::Response;
use http::Uri;
use quittance_engine::trace::{Line, Story, trace};

const PLACE: &str = "/dashboard/trace";

/// Stories on one page; a customer's id may lead to many payments.
const STORIES_MAX: usize = 10;

/// Lines of a story that are listed; a page stays readable on a phone. `quittance trace` prints all.
const LINES_MAX: usize = 100;

/// `GET /dashboard/trace?id=…`
pub(super) async fn show(State(dashboard): State<Dashboard>, visitor: Visitor, uri: Uri) -> Response {
    visitor.answer(page(&dashboard.handle, &visitor, &uri).await)
}

async fn page(handle: &Handle, visitor: &Visitor, uri: &Uri) -> Result<Page, Problem> {
    let asked = Parameters::of_form(uri, &["id"])?;
    let id = asked.text("id").unwrap_or_default().to_owned();
    let field = Field { name: "id", label: "Any id, reference or key", value: id.clone(), is_required: true };
    let form = Filters { title: "Look for", action: PLACE.to_owned(), fields: vec![field], ..Filters::default() };
    let mut sections = vec![Section::Filters(form)];
    if id.is_empty() {
        return Ok(Page::new(Part::Trace, "Trace", sections));
    }
    let (tenant, wanted) = (visitor.caller.tenant.id, id.clone());
    let found = handle.read(move |reader| trace(reader, Some(tenant), &wanted)).await?;
    let found = found.ok_or_else(|| Problem::new(&catalogue::NOT_FOUND, "nothing is known under this id"))?;
    let is_cut = found.is_cut || found.stories.len() > STORIES_MAX;
    for story in found.stories.iter().take(STORIES_MAX) {
        sections.extend(drawing(story).map(|svg| Section::Drawing(format!("Drawing of {}", story.subject), svg)));
        sections.push(Section::Table(line_table(&format!("Story of {}", story.subject), story)));
        sections.extend(story.payment.map(|payment| {
            let cell = Cell::code(payment.to_string()).to(below("/dashboard/payments", &payment.to_string()));
            Section::Facts(format!("More about {}", story.subject), vec![("Payment".to_owned(), cell)])
        }));
    }
    if is_cut {
        sections.push(Section::Note(Tone::Plain, "There are more payments; ask for one of them.".to_owned()));
    }
    Ok(Page::new(Part::Trace, format!("Trace of a {}", found.recognised_as), sections))
}

/// What happened, line by line.
pub(super) fn line_table(title: &str, story: &Story) -> Table {
    let is_cut = story.lines.len() > LINES_MAX;
    let cut = if is_cut { format!(", the first {LINES_MAX} of {} lines", story.lines.len()) } else { String::new() };
    Table {
        title: title.to_owned(),
        caption: format!("{} is {}; the oldest first{cut}", story.subject, story.status),
        columns: vec!["Time", "Who", "What", "Details"],
        rows: story.lines.iter().take(LINES_MAX).map(row).collect(),
        empty: "Nothing is known.".to_owned(),
        next: None,
    }
}

fn row(line: &Line) -> Vec<Cell> {
    vec![Cell::at(line.at), Cell::text(line.actor), Cell::text(spoken(line.event)), Cell::code(line.text())]
}

/// A stable word as people read it.
pub(super) fn spoken(word: &str) -> String {
    word.replace('_', " ")
}
