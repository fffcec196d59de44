//! What is printed of a proposal.

use crate::output::Document;
use quittance_core::propose::fields::Field;
use quittance_core::propose::keys::Rule;
use quittance_core::propose::share::Share;
use quittance_core::propose::words::Words;
use quittance_server::init::sample::Drawn;
use quittance_server::init::text::{Draft, Written, piped};
use serde_json::{Value, json};

/// The proposal as a document.
pub(super) fn document(draft: &Draft<'_>, written: &Written, file: Option<&str>, next: &str) -> Document {
    let (left, right) = (&draft.looked.left.sample, &draft.looked.right.sample);
    let proposal = &draft.looked.proposal;
    let rules = proposal.rules.iter().map(|rule| {
        let cells = ["match".to_owned(), piped(&rule.left, left), piped(&rule.right, right)];
        row(cells, &rule.found, rule.confidence.as_str())
    });
    let fields = proposal.fields.iter().map(|field| {
        let what = if field.words.is_some() { "compare by words" } else { "compare" };
        let cells = [what.to_owned(), piped(&field.left, left), piped(&field.right, right)];
        row(cells, &field.agreeing, field.confidence.as_str())
    });
    let place = file.map_or("nothing was written".to_owned(), |file| format!("written to {file}"));
    Document {
        columns: vec!["what", "left", "right", "agree", "confidence"],
        rows: rules.chain(fields).collect(),
        notes: vec![
            format!("{} rows of `{}` beside {}", seen(&draft.looked.left), draft.table, seen_stripe(draft)),
            format!("{place}; next: {next}"),
        ],
        text: None,
        json: json!({
            "pair": draft.pair,
            "table": draft.table,
            "object": draft.object,
            "match": proposal.rules.iter().map(|rule| rule_json(rule, draft)).collect::<Vec<_>>(),
            "spare_match": proposal.spare_rules.iter().map(|rule| rule_json(rule, draft)).collect::<Vec<_>>(),
            "fields": proposal.fields.iter().map(|field| field_json(field, draft)).collect::<Vec<_>>(),
            "left_updated_at": proposal.left_modified.as_ref().map(|modified| piped(&modified.column, left)),
            "right_updated_at": proposal.right_modified.as_ref().map(|modified| piped(&modified.column, right)),
            "matched": share(proposal.matched),
            "left": drawn(&draft.looked.left),
            "right": drawn(&draft.looked.right),
            "guesses": written.guesses,
            "toml": written.text,
            "file": file,
            "next": next,
        }),
    }
}

fn row(cells: [String; 3], agree: &Share, confidence: &str) -> Vec<String> {
    cells.into_iter().chain([agree.to_string(), confidence.to_owned()]).collect()
}

fn seen(drawn: &Drawn) -> String {
    let kept = drawn.sample.rows.len() as u64;
    if drawn.is_whole { format!("all {kept}") } else { Share::of(kept, drawn.read.max(kept)).to_string() + " read" }
}

fn seen_stripe(draft: &Draft<'_>) -> String {
    let right = &draft.looked.right;
    let all = if right.is_whole { "all " } else { "" };
    format!("{all}{} objects of Stripe's, in {} requests", right.sample.rows.len(), right.requests)
}

fn share(share: Share) -> Value {
    json!({"part": share.part, "whole": share.whole})
}

fn drawn(drawn: &Drawn) -> Value {
    json!({
        "records": drawn.sample.rows.len(), "read": drawn.read, "is_whole": drawn.is_whole, "requests": drawn.requests,
    })
}

fn rule_json(rule: &Rule, draft: &Draft<'_>) -> Value {
    json!({
        "left": piped(&rule.left, &draft.looked.left.sample),
        "right": piped(&rule.right, &draft.looked.right.sample),
        "keyed": share(rule.keyed),
        "found": share(rule.found),
        "confidence": rule.confidence.as_str(),
        "evidence": rule.evidence,
    })
}

fn field_json(field: &Field, draft: &Draft<'_>) -> Value {
    json!({
        "left": piped(&field.left, &draft.looked.left.sample),
        "right": piped(&field.right, &draft.looked.right.sample),
        "agreeing": share(field.agreeing),
        "values": field.words.as_ref().map(words_json),
        "confidence": field.confidence.as_str(),
        "evidence": field.evidence,
        "rivals": field.rivals.iter().map(|rival| rival.right.name.as_str()).collect::<Vec<_>>(),
    })
}

fn words_json(words: &Words) -> Value {
    let meaning = |word: &quittance_core::propose::words::MappedWord| json!({"right": word.right, "left": word.left, "seen": share(word.seen), "is_unsure": word.is_unsure()});
    json!({
        "meanings": words.meanings.iter().map(meaning).collect::<Vec<_>>(),
        "unseen": words.unseen,
        "strays": words.strays,
    })
}
