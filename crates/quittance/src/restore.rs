//! `quittance restore`: a backup into an empty store, all of it or nothing; afterwards nothing is sent until gateways were
//! swept.

use crate::arguments::Global;
use crate::backup;
use crate::failure::{Exit, Failure};
use crate::meter::Meter;
use crate::output::Document;
use crate::verify;
use clap::Args;
use quittance_server::backup::{Restore, RestoreError, Restored, restore};
use quittance_server::config::Config;
use quittance_server::data::{Data, Place};
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
    #[arg(long, value_name = "DIR")]
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
    let Arguments { from, keep_findings, .. } = arguments;
    let Some(to) = destination(arguments, global)? else {
        let mut document = backup::checked(from)?;
        document.notes.push("nothing was restored".to_owned());
        document.print(global.format())?;
        return Ok(Exit::Good.into());
    };
    let meter = Meter::new();
    let restored =
        restore(Restore { from, to: &to, keeps_findings: *keep_findings }, &mut |progress| meter.show(progress));
    meter.end();
    let restored = restored.inspect_err(tell_findings)?;
    let mut document = backup::describe(from, &restored.header, &restored.summary);
    tell(&mut document, &to, &restored);
    document.print(global.format())?;
    Ok(if restored.report.is_sound() { Exit::Good } else { Exit::Finding }.into())
}

/// Where to restore to; none where the file is only to be proved.
fn destination(arguments: &Arguments, global: &Global) -> anyhow::Result<Option<Data>> {
    let named = global.named_data()?;
    let keys = Config::keyring_of(global.config.as_deref())?;
    match (named.as_ref().map(Data::place), &arguments.to_data) {
        (Some(Place::Directory(_)), _) => {
            let remedy = "write --to-data DIR: nothing is restored into data that other commands use by default";
            Err(Failure::new(Exit::Usage, "--data does not say where to restore to", remedy).into())
        }
        (Some(Place::Postgres(_)), Some(_)) => {
            let what = "--to-data and --database-url both say where to restore to";
            Err(Failure::new(Exit::Usage, what, "leave one of them out").into())
        }
        _ if arguments.dry_run => Ok(None),
        (Some(_), None) => Ok(named),
        (None, Some(to)) => Ok(Some(Data::directory(to).with_keys(keys))),
        (None, None) => {
            let remedy = "write --to-data DIR, or --database-url URL; --dry-run only proves the file";
            Err(Failure::new(Exit::Usage, "it is not said where to restore to", remedy).into())
        }
    }
}

fn tell(document: &mut Document, to: &Data, restored: &Restored) {
    let Restored { report, writer_epoch, paused_pairs, .. } = restored;
    if let Value::Object(map) = &mut document.json {
        map.insert("restored_to".to_owned(), json!(to.to_string()));
        map.insert("writer_epoch".to_owned(), json!(writer_epoch));
        map.insert("recovering".to_owned(), json!(true));
        map.insert("paused_pairs".to_owned(), json!(paused_pairs));
        map.insert("verified".to_owned(), verify::json(report));
    }
    let (books, records, found) = (report.books, report.records, report.findings_count);
    document.notes.push(format!("restored into {to}; {books} books of {records} records verified, {found} findings"));
    document.notes.extend(report.findings.iter().map(|finding| format!("found: {}", verify::sentence(finding))));
    document.notes.push(
        "gateways may have done what the backup does not know: the next server sends nothing to a gateway before it was \
         swept since then; docs/operations.md says what else to do"
            .to_owned(),
    );
    if !paused_pairs.is_empty() {
        document.notes.push(format!(
            "paused until somebody has compared them, for what both sides agreed on is not restored: {}; then \
             `quittance resume --pair NAME`",
            paused_pairs.join(", ")
        ));
    }
}

/// All that makes books unsound, before the error that names the first of it.
fn tell_findings(error: &RestoreError) {
    if let RestoreError::Unsound { report, .. } = error {
        report.findings.iter().for_each(|finding| eprintln!("found: {}", verify::sentence(finding)));
    }
}
