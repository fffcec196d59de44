//! Findings as a document.

use crate::output::Document;
use quittance_core::finder::Finding;
use quittance_server::find::Outcome;
use serde_json::{Map, Value, json};

pub(super) fn document(finder: &str, outcome: &Outcome) -> Document {
    let report = &outcome.report;
    Document {
        json: json!({
            "finder": finder,
            "examined": outcome.examined,
            "unjudged": outcome.unjudged,
            "first_unjudged": outcome.first_unjudged,
            "found": report.found,
            "findings": report.findings.iter().map(object).collect::<Vec<_>>(),
        }),
        columns: vec!["kind", "records", "count", "evidence"],
        rows: report.findings.iter().map(row).collect(),
        notes: notes(outcome),
        text: None,
    }
}

fn object(finding: &Finding) -> Value {
    let evidence: Map<String, Value> =
        finding.evidence.iter().map(|(label, value)| ((*label).to_owned(), value.to_string().into())).collect();
    json!({
        "kind": finding.kind.name(),
        "subjects": finding.subjects,
        "count": finding.count,
        "evidence": evidence,
    })
}

fn row(finding: &Finding) -> Vec<String> {
    let evidence = finding.evidence.iter().map(|(label, value)| format!("{label} {value}"));
    vec![
        finding.kind.name().to_owned(),
        finding.subjects.join(", "),
        finding.count.to_string(),
        evidence.collect::<Vec<_>>().join(", "),
    ]
}

fn notes(outcome: &Outcome) -> Vec<String> {
    let (found, shown) = (outcome.report.found, outcome.report.findings.len() as u64);
    let mut notes = vec![match found {
        0 => format!("nothing was found among {} records", outcome.examined),
        found => format!("{found} found among {} records", outcome.examined),
    }];
    if found > shown {
        notes.push(format!("the first {shown} are shown"));
    }
    if let Some(first) = &outcome.first_unjudged {
        notes.push(format!("{} records could not be judged, the first is {first}", outcome.unjudged));
    }
    notes
}
