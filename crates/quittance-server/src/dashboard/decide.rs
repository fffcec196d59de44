//! What a person decides about a discrepancy of a pair: first what that would write, then a reason, then what came of it and
//! how it is taken back. For keys of scope `admin`, by what the API does.
//!
//! The form carries a key of its own, so that one sent twice is one decision.

use super::Dashboard;
use super::discrepancies::{LIST, changes, told};
use super::page::{Page, Part};
use super::sessions::token;
use super::view::{Ask, Cell, Field, Filters, Link, Section, Table, Tone, address, below};
use super::visitor::Visitor;
use crate::api::decisions::{apart, carry_out};
use crate::api::discrepancies::needs_admin;
use crate::api::findings::{self, Detail};
use crate::api::query::{Parameters, checked};
use crate::problem::{Problem, catalogue};
use crate::reconcile::{Choice, Decided, preview};
use crate::runtime::Handle;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use http::Uri;
use quittance_core::id::DiscrepancyId;
use quittance_core::idempotency::Key;
use quittance_core::pair::repair::Authority;
use quittance_store::records::{FindingState, Repair, RepairPlan, RepairState};
use sha2::{Digest, Sha256};

/// What can be chosen: the word for it, what is asked, and what it is.
const CHOICES: [(&str, &str, Choice); 4] = [
    ("ignore", "Ignore it", Choice::Ignore),
    ("approve", "Approve the repair that waits", Choice::Approve),
    ("left", "Left is right", Choice::Right(Authority::Left)),
    ("right", "Right is right", Choice::Right(Authority::Right)),
];

/// Longest reason, in bytes; as the API has it.
const REASON_BYTES_MAX: usize = 500;

/// Links to what can be decided about a discrepancy.
pub(super) fn choices(detail: &Detail) -> Option<Section> {
    let one = &detail.finding;
    let waits = detail.repairs.iter().any(|made| made.repair.state == RepairState::AwaitingApproval);
    let is_offered = |choice: &Choice| match choice {
        Choice::Ignore => one.state != FindingState::Ignored,
        Choice::Approve => waits,
        Choice::Right(_) | Choice::Merged(_) => one.kind == "different",
    };
    let place = place(one.id);
    let link = |(word, text, _): (&str, &str, Choice)| Link {
        text: text.to_owned(),
        href: address(&place, &[("choice", Some(word))]),
        is_here: false,
    };
    let offered: Vec<_> = CHOICES.into_iter().filter(|(.., choice)| is_offered(choice)).map(link).collect();
    let is_open = one.state != FindingState::Resolved && !offered.is_empty();
    is_open.then(|| {
        Section::Filters(Filters { title: "Decide", links: vec![("What is right", offered)], ..Filters::default() })
    })
}

fn place(id: DiscrepancyId) -> String {
    format!("{}/decide", below(LIST, &id.to_string()))
}

/// `GET /dashboard/discrepancies/{id}/decide?choice=…`: what would be written. Changes nothing.
pub(super) async fn ask(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
    uri: Uri,
) -> Response {
    visitor.answer(ask_page(&dashboard.handle, &visitor, id, &uri).await)
}

async fn ask_page(handle: &Handle, visitor: &Visitor, id: String, uri: &Uri) -> Result<Page, Problem> {
    needs_admin(&visitor.caller)?;
    let (id, (word, text, choice)) = (finding_id(id)?, choice_of(&Parameters::of_form(uri, &["choice"])?)?);
    let detail = findings::detail(handle, id).await?.ok_or_else(not_found)?;
    let is_written = choice != Choice::Ignore;
    let about = match choice {
        Choice::Ignore => "It is good as it is, until one of its records changes. Nothing is written to either system.",
        Choice::Approve | Choice::Right(_) | Choice::Merged(_) => {
            "Both sides are read again then, and what they say then counts. Each record is written only where it still holds \
             that, read back, and can be given back what it had."
        }
    };
    let plans = apart(handle, move |config, data| preview(config, data, id, choice)).await?;
    let reason = Field { name: "reason", label: "Why", value: String::new(), is_required: true };
    let form = Ask {
        title: text.to_owned(),
        about: about.to_owned(),
        action: place(id),
        hidden: vec![("choice", word.to_owned()), ("key", token())],
        fields: vec![reason],
        button: text.to_owned(),
    };
    let mut sections: Vec<Section> = Vec::new();
    if is_written {
        sections.push(Section::Table(plan_table(&plans)));
    }
    sections.push(Section::Ask(form));
    sections.extend(told(&detail));
    Ok(Page::new(Part::Discrepancies, format!("{text}: what follows"), sections))
}

fn plan_table(plans: &[RepairPlan]) -> Table {
    let row = |plan: &RepairPlan| {
        vec![
            Cell::text(format!("{} {}", plan.system, plan.object)),
            Cell::text(plan.side.as_str()),
            Cell::code(plan.key.as_str()),
            Cell::code(changes(plan)),
            if plan.takes_away { Cell::state("takes something away", Tone::Warn) } else { Cell::text("–") },
        ]
    };
    Table {
        title: "What would be written".to_owned(),
        caption: "As things stand now; nothing has been written".to_owned(),
        columns: vec!["System", "Side", "Key", "Change", "Care"],
        rows: plans.iter().map(row).collect(),
        empty: "Nothing: both sides agree by now.".to_owned(),
        next: None,
    }
}

/// `POST /dashboard/discrepancies/{id}/decide`
pub(super) async fn decide(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let page = match visitor.form(request, &["choice", "key", "reason"]).await {
        Ok(form) => decided_page(&dashboard.handle, &visitor, id, &form).await,
        Err(problem) => Err(problem),
    };
    visitor.answer(page)
}

async fn decided_page(handle: &Handle, visitor: &Visitor, id: String, form: &Parameters) -> Result<Page, Problem> {
    needs_admin(&visitor.caller)?;
    let (id, (word, text, choice)) = (finding_id(id)?, choice_of(form)?);
    let missing = |name| Problem::parameter(name, "is missing");
    let reason = form.text("reason").map(str::trim).filter(|reason| !reason.is_empty());
    let reason = reason.ok_or_else(|| missing("reason"))?;
    if reason.len() > REASON_BYTES_MAX {
        return Err(Problem::parameter("reason", format!("must be at most {REASON_BYTES_MAX} bytes")));
    }
    let key = Key::parse(form.text("key").unwrap_or_default()).map_err(|_| missing("key"))?;
    let decided = Decided {
        finding: id,
        choice: choice.clone(),
        tenant: visitor.caller.tenant.id,
        key: Sha256::digest(key.as_str()).into(),
        fingerprint: Sha256::digest(format!("dashboard {id} {word} {reason}")).into(),
        by: visitor.caller.credential.to_string(),
        reason: reason.to_owned(),
    };
    carry_out(handle, &key, decided).await?;
    let detail = findings::detail(handle, id).await?.ok_or_else(not_found)?;
    let (tone, came) = outcome(&choice, &detail);
    let mut sections = vec![Section::Note(tone, format!("{text}: {came}"))];
    sections.push(Section::Note(Tone::Plain, undoing(&choice, &detail)));
    sections.extend(told(&detail));
    let back = Cell::text("The discrepancy").to(below(LIST, &id.to_string()));
    sections.push(Section::Facts("Go on".to_owned(), vec![("Back to".to_owned(), back)]));
    Ok(Page::new(Part::Discrepancies, "What came of it", sections))
}

/// What came of a decision, by what was kept of its repairs.
fn outcome(choice: &Choice, detail: &Detail) -> (Tone, String) {
    if *choice == Choice::Ignore {
        return (Tone::Good, "nobody is told of it any more.".to_owned());
    }
    let run = detail.decisions.first().and_then(|decision| decision.run);
    let states: Vec<RepairState> = detail
        .repairs
        .iter()
        .map(|made| &made.repair)
        .filter(|one| Some(one.run) == run)
        .map(|one| one.state)
        .collect();
    let is_written = |state: &RepairState| matches!(state, RepairState::Repaired | RepairState::Already);
    match states.iter().find(|state| !is_written(state)) {
        Some(state) => {
            (Tone::Bad, format!("not all of it is written; the record is {}.", state.name().replace('_', " ")))
        }
        None if states.is_empty() => (Tone::Warn, "no repair came of it; see the runs of the pair.".to_owned()),
        None => (Tone::Good, "it is written, and was read back.".to_owned()),
    }
}

/// How what was decided is taken back.
fn undoing(choice: &Choice, detail: &Detail) -> String {
    if *choice == Choice::Ignore {
        return "It opens again by itself when one of its records changes.".to_owned();
    }
    let run = detail.decisions.first().and_then(|decision| decision.run);
    let is_its = |repair: &Repair| Some(repair.run) == run && repair.state == RepairState::Repaired;
    let repaired = detail.repairs.iter().find(|made| is_its(&made.repair));
    match repaired {
        Some(made) => {
            // A run that was approved repair by repair has others in it, which stay.
            let run = match choice {
                Choice::Right(_) | Choice::Merged(_) => made.repair.run.to_string(),
                Choice::Ignore | Choice::Approve => format!("{}/{}", made.repair.run, made.repair.no),
            };
            format!(
                "To see what taking it back would write: quittance undo {run}. To write that: quittance undo {run} --apply"
            )
        }
        None => "No repair of this decision can be taken back; the runs of the pair say what became of it.".to_owned(),
    }
}

fn not_found() -> Problem {
    Problem::new(&catalogue::NOT_FOUND, "no discrepancy of a pair has this id")
}

fn finding_id(id: String) -> Result<DiscrepancyId, Problem> {
    checked(id)?.parse().map_err(|_| not_found())
}

fn choice_of(form: &Parameters) -> Result<(&'static str, &'static str, Choice), Problem> {
    let known = CHOICES.into_iter().find(|(word, ..)| form.text("choice") == Some(*word));
    known.ok_or_else(|| Problem::parameter("choice", "must be one of ignore, approve, left, right"))
}
