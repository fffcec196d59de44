//! `quittance restore`: a backup into an empty store, all of it or nothing; afterwards nothing leaves until a person says
//! so.

use crate::arguments::Global;
use crate::backup;
use crate::failure::{Exit, Failure};
use crate::meter::Meter;
use crate::output::Document;
use crate::verify;
use clap::Args;
use quittance_engine::verify::Report;
use quittance_server::backup::{Restore, RestoreError, restore};
use quittance_server::data::Data;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;

/// What to restore, and where.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Backup to restore
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// Data directory to fill; there must not be anything in it
    #[arg(long, value_name = "DIR", required_unless_present = "dry_run")]
    to_data: Option<PathBuf>,
    /// Read and prove the file, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Restore books in which verification finds something, too
    #[arg(long, conflicts_with = "dry_run")]
    keep_findings: bool,
}

/// Restores, and prints what was restored.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> anyhow::Result<ExitCode> {
    if global.named_data().is_some() {
        let remedy = "write --to-data DIR: nothing is restored into data that other commands use by default";
        return Err(Failure::new(Exit::Usage, "--data does not say where to restore to", remedy).into());
    }
    let Arguments { from, to_data: Some(to), dry_run: false, keep_findings } = arguments else {
        let mut document = backup::checked(&arguments.from)?;
        document.notes.push("nothing was restored".to_owned());
        document.print(global.format())?;
        return Ok(Exit::Good.into());
    };
    let to = Data::directory(to);
    let meter = Meter::new();
    let restored =
        restore(Restore { from, to: &to, keeps_findings: *keep_findings }, &mut |progress| meter.show(progress));
    meter.end();
    let restored = restored.inspect_err(tell_findings)?;
    let mut document = backup::describe(from, &restored.header, &restored.summary);
    tell(&mut document, &to, &restored.report, restored.writer_epoch);
    document.print(global.format())?;
    Ok(if restored.report.is_sound() { Exit::Good } else { Exit::Finding }.into())
}

fn tell(document: &mut Document, to: &Data, report: &Report, writer_epoch: i64) {
    if let Value::Object(map) = &mut document.json {
        map.insert("restored_to".to_owned(), json!(to.to_string()));
        map.insert("writer_epoch".to_owned(), json!(writer_epoch));
        map.insert("paused".to_owned(), json!(true));
        map.insert("verified".to_owned(), verify::json(report));
    }
    let (books, records, found) = (report.books, report.records, report.findings_count);
    document.notes.push(format!("restored into {to}; {books} books of {records} records verified, {found} findings"));
    document.notes.extend(report.findings.iter().map(|finding| format!("found: {}", verify::sentence(finding))));
    document.notes.push(
        "everything is paused: gateways may have done what the backup does not know. docs/operations.md says what to do \
         before `quittance resume`"
            .to_owned(),
    );
}

/// All that makes books unsound, before the error that names the first of it.
fn tell_findings(error: &RestoreError) {
    if let RestoreError::Unsound { report, .. } = error {
        report.findings.iter().for_each(|finding| eprintln!("found: {}", verify::sentence(finding)));
    }
}
