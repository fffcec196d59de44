//! `quittance verify --audit`: an export for auditors, checked where nothing else of Quittance is.

use crate::arguments::Global;
use crate::failure::{Exit, Failure};
use crate::output::Document;
use quittance_server::audit::{AuditError, Checked, Demand, Fault, check, read_public_key};
use serde_json::json;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::ExitCode;

/// Checks a file, and prints what it comes to.
pub(crate) fn run(
    file: &Path,
    public_key: Option<&str>,
    after: Option<&Path>,
    global: &Global,
) -> anyhow::Result<ExitCode> {
    let public_key = public_key.map(key).transpose()?;
    let mut input = open("--audit", file)?;
    let mut older = after.map(|file| open("--after", file)).transpose()?;
    let after = older.as_mut().map(|older| older as &mut dyn BufRead);
    let checked = check(&mut input, Demand { public_key, after }).map_err(|error| match error {
        AuditError::Older { .. } => {
            let remedy = "name a whole export, made by `quittance export --to audit`";
            anyhow::Error::from(Failure::new(Exit::Usage, format!("--after: {error}"), remedy))
        }
        AuditError::Read(error) => anyhow::Error::from(error).context("an export cannot be read"),
    })?;
    document(&checked).print(global.format())?;
    Ok(if checked.faults_count == 0 { Exit::Good } else { Exit::Finding }.into())
}

fn key(text: &str) -> Result<[u8; 32], Failure> {
    let wrong = || {
        let remedy = "write the 64 hexadecimal digits that `quittance export --to audit --signing-key` told";
        Failure::new(Exit::Usage, "--public-key: this is no public key", remedy)
    };
    read_public_key(text).ok_or_else(wrong)
}

fn open(option: &str, file: &Path) -> Result<BufReader<File>, Failure> {
    let opened = File::open(file).map_err(|error| {
        let what = format!("{option}: cannot read {}", file.display());
        Failure::new(Exit::Usage, what, "name a file that is there and may be read").because(error)
    });
    opened.map(BufReader::new)
}

fn document(checked: &Checked) -> Document {
    let Checked { chains, records, made_at, signed_by, faults, faults_count, unchecked_words, worded_by } = checked;
    let json = json!({
        "journals": chains,
        "records": records,
        "made_at": made_at,
        "signed_by": signed_by,
        "unchecked_words": unchecked_words,
        "worded_by": worded_by,
        "findings": faults.iter().map(fault).collect::<Vec<_>>(),
        "findings_count": faults_count,
    });
    let shown = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let row = vec![
        chains.to_string(),
        records.to_string(),
        shown(made_at),
        signed_by.as_ref().map_or_else(|| "nobody".to_owned(), Clone::clone),
        faults_count.to_string(),
    ];
    let mut notes: Vec<String> = faults.iter().map(|fault| format!("found: {}", sentence(fault))).collect();
    if *faults_count > faults.len() as u64 {
        notes.push(format!("… and {} more", faults_count - faults.len() as u64));
    }
    if *unchecked_words > 0 {
        let by = worded_by.as_deref().unwrap_or("another version");
        notes.push(format!(
            "{unchecked_words} lines were put into words by version {by} of the program, which this one would not use: their \
             bytes hold, what `says` tells of them was not checked"
        ));
    }
    if *faults_count == 0 && signed_by.is_none() {
        notes.push("it is whole, and not signed: whoever made it up could have sealed it as well".to_owned());
    }
    let columns = vec!["journals", "records", "made_at", "signed_by", "findings"];
    Document { json, columns, rows: vec![row], notes, text: None }
}

fn fault(fault: &Fault) -> serde_json::Value {
    json!({"line": fault.line, "journal": fault.chain, "record": fault.seq, "what": fault.what})
}

fn sentence(fault: &Fault) -> String {
    match (&fault.chain, fault.seq) {
        (Some(chain), Some(seq)) => format!("line {}, record {seq} of {chain}: {}", fault.line, fault.what),
        _ => format!("line {}: {}", fault.line, fault.what),
    }
}
