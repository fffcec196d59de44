//! `quittance verify`: proves the books, or names what is wrong with them.

use crate::arguments::Global;
use crate::failure::Exit;
use crate::meter::Meter;
use crate::output::Document;
use crate::verify_audit;
use clap::Args;
use quittance_engine::verify::{Aspect, Finding, Report, verify};
use quittance_server::diff::{BrokenRun, verify as verify_runs};
use quittance_server::reconcile::{BrokenChain, verify as verify_repairs};
use quittance_store::store::StoreError;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;

/// What to verify.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Check an export for auditors instead of the books: `quittance export --to audit` makes one
    #[arg(long, value_name = "FILE")]
    audit: Option<PathBuf>,
    /// Whose signature it has to have: the public key that the export told, in hexadecimal
    #[arg(long, value_name = "HEX", requires = "audit")]
    public_key: Option<String>,
    /// An export made before, of which every record has to be in this one
    #[arg(long, value_name = "FILE", requires = "audit")]
    after: Option<PathBuf>,
}

/// Verifies the books, beside a running server or without one, or an export of them.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> anyhow::Result<ExitCode> {
    if let Some(file) = &arguments.audit {
        return verify_audit::run(file, arguments.public_key.as_deref(), arguments.after.as_deref(), global);
    }
    let data = global.data()?;
    let kept = Kept { runs: verify_runs(&data)?, repairs: verify_repairs(&data)? };
    let mut reader = match data.open_reader() {
        // Comparisons and repairs may have been kept where no ledger is.
        Err(StoreError::Missing { .. }) if kept.is_any() => return told(&Report::default(), &kept, global),
        opened => opened?,
    };
    let meter = Meter::new();
    let mut report = verify(reader.as_mut(), &mut |progress| meter.show(progress))?;
    meter.phase("checking the structure of the file");
    // After the books: a finding that names a book and a record says more than one that names a page.
    match data.check_integrity() {
        Err(StoreError::Corrupt { place, what }) => {
            report.add(Finding { book: place, seq: None, aspect: Aspect::Chain, what });
        }
        other => other?,
    }
    meter.end();
    told(&report, &kept, global)
}

/// What is kept beside the books: how much of it there is, and what of it does not hold.
struct Kept {
    runs: (u64, Vec<BrokenRun>),
    repairs: (u64, Vec<BrokenChain>),
}

impl Kept {
    const fn is_any(&self) -> bool {
        self.runs.0 > 0 || self.repairs.0 > 0
    }

    const fn is_sound(&self) -> bool {
        self.runs.1.is_empty() && self.repairs.1.is_empty()
    }
}

fn told(report: &Report, kept: &Kept, global: &Global) -> anyhow::Result<ExitCode> {
    let Kept { runs: (proofs, broken), repairs: (repairs, chains) } = kept;
    let mut document = document(report);
    let mistakes = broken.iter().map(|run| json!({"run": run.run, "what": run.what})).collect::<Vec<_>>();
    let torn = chains.iter().map(|chain| json!({"pair": chain.pair, "what": chain.what})).collect::<Vec<_>>();
    if let Value::Object(map) = &mut document.json {
        map.insert("proofs".to_owned(), json!({"checked": proofs, "broken": mistakes}));
        map.insert("repairs".to_owned(), json!({"checked": repairs, "broken": torn}));
    }
    if *proofs > 0 {
        document.notes.push(format!("{proofs} proofs of comparisons checked, {} do not hold", broken.len()));
    }
    if *repairs > 0 {
        document.notes.push(format!("{repairs} repairs checked, {} chains do not hold", chains.len()));
    }
    document.notes.extend(broken.iter().map(|run| format!("found: the proof of {}: {}", run.run, run.what)));
    document.notes.extend(chains.iter().map(|chain| format!("found: repairs of {}: {}", chain.pair, chain.what)));
    document.print(global.format())?;
    Ok(if report.is_sound() && kept.is_sound() { Exit::Good } else { Exit::Finding }.into())
}

fn document(report: &Report) -> Document {
    let yes_or_no = |is_so| if is_so { "yes" } else { "NO" }.to_owned();
    let row = vec![
        report.books.to_string(),
        report.records.to_string(),
        yes_or_no(report.is_balanced()),
        yes_or_no(report.is_chain_whole()),
        report.findings_count.to_string(),
        report.first_broken().map_or_else(|| "-".to_owned(), sentence),
    ];
    let mut notes: Vec<String> =
        report.findings.iter().map(|finding| format!("found: {}", sentence(finding))).collect();
    if report.findings_count > report.findings.len() as u64 {
        notes.push(format!("… and {} more", report.findings_count - report.findings.len() as u64));
    }
    if report.unsettled > 0 {
        notes.push(format!(
            "{} books changed at every look: their journals were checked, the rows derived from them were not",
            report.unsettled
        ));
    }
    Document {
        json: json(report),
        columns: vec!["books", "records", "balanced", "chain_ok", "findings", "first_broken"],
        rows: vec![row],
        notes,
        text: None,
    }
}

/// A finding as people read it.
pub(crate) fn sentence(finding: &Finding) -> String {
    match finding.seq {
        Some(seq) => format!("book {}, record {seq}: {}", finding.book, finding.what),
        None => format!("book {}: {}", finding.book, finding.what),
    }
}

/// A report as programs read it.
pub(crate) fn json(report: &Report) -> Value {
    let place = |finding: &Finding| json!({"book": finding.book, "record": finding.seq, "what": finding.what});
    let whole = |finding: &Finding| {
        json!({
            "book": finding.book, "record": finding.seq, "aspect": finding.aspect.name(), "what": finding.what,
        })
    };
    json!({
        "books": report.books,
        "records": report.records,
        "balanced": report.is_balanced(),
        "chain_ok": report.is_chain_whole(),
        "first_broken": report.first_broken().map(place),
        "findings": report.findings.iter().map(whole).collect::<Vec<_>>(),
        "findings_count": report.findings_count,
        "unsettled": report.unsettled,
    })
}
