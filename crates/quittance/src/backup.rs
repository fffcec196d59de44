//! `quittance backup`: everything the books hold, in one file, beside a running server; or the proof that such a file is
//! whole.

use crate::arguments::Global;
use crate::failure::Exit;
use crate::output::Document;
use clap::{ArgGroup, Args, ValueEnum};
use jiff::Timestamp;
use quittance_server::backup::{self, Compression, Header, Summary};
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What to write, or to check.
#[derive(Args, Debug)]
#[command(group(ArgGroup::new("what").required(true).args(["to", "check"])))]
pub(crate) struct Arguments {
    /// File to write, which must not be there yet; it will hold personal data and secrets
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// File to prove whole instead; no data is needed for that
    #[arg(long, value_name = "FILE")]
    check: Option<PathBuf>,
    /// How the file is compressed
    #[arg(long, value_enum, default_value_t = Packing::Zstd, conflicts_with = "check")]
    compression: Packing,
}

/// Names of compressions.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Packing {
    /// Zstandard
    Zstd,
    /// Not at all
    None,
}

/// Rows after which a line is printed.
const ROWS_PER_LINE: u64 = 1_000_000;

/// Columns of a backup's tables.
const COLUMNS: [&str; 3] = ["table", "rows", "sha256"];

/// Takes a backup, or checks one.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> anyhow::Result<ExitCode> {
    let document = match (&arguments.to, &arguments.check) {
        (Some(to), _) => take(to, arguments.compression, global)?,
        (None, Some(path)) => checked(path)?,
        (None, None) => unreachable!("one of them is required"),
    };
    document.print(global.format())?;
    Ok(Exit::Good.into())
}

fn take(to: &Path, packing: Packing, global: &Global) -> anyhow::Result<Document> {
    let compression = match packing {
        Packing::Zstd => Compression::Zstd,
        Packing::None => Compression::None,
    };
    let mut lines = 0;
    let taken = backup::take(&global.data()?, to, compression, &mut |table, rows| {
        if rows / ROWS_PER_LINE > lines {
            eprintln!("{table:?}: {rows} rows");
        }
        lines = rows / ROWS_PER_LINE;
    })?;
    let mut document = describe(to, &taken.header, &taken.summary);
    if let Value::Object(map) = &mut document.json {
        map.insert("bytes".to_owned(), json!(taken.bytes));
        map.insert("keys".to_owned(), json!(taken.keys));
    }
    document
        .notes
        .push(format!("{} bytes; whoever reads this file reads secrets: keep it as you keep those", taken.bytes));
    if !taken.keys.is_empty() {
        document.notes.push(format!(
            "it cannot be read without the master keys {}: keep them, and elsewhere",
            taken.keys.join(", ")
        ));
    }
    Ok(document)
}

/// Proves a file whole, and describes it.
pub(crate) fn checked(path: &Path) -> anyhow::Result<Document> {
    let (header, summary) = backup::check(path)?;
    let mut document = describe(path, &header, &summary);
    document.notes.push("the file is whole".to_owned());
    Ok(document)
}

/// A backup as a document: what it says of itself, and what it came to.
pub(crate) fn describe(path: &Path, header: &Header, summary: &Summary) -> Document {
    let tables = summary.tables.iter();
    let object = |table: &quittance_server::backup::TableSummary| json!({"table": table.name, "rows": table.rows, "sha256": hex(&table.digest)});
    let row = |table: &quittance_server::backup::TableSummary| {
        vec![table.name.to_owned(), table.rows.to_string(), hex(&table.digest)]
    };
    let file = path.display().to_string();
    let (taken_at, Header { quittance, schema, store, .. }) = (time(header), header);
    Document {
        json: json!({
            "file": file,
            "taken_at": taken_at,
            "quittance": quittance,
            "schema": schema,
            "store": store,
            "rows": summary.rows,
            "sha256": hex(&summary.digest),
            "tables": tables.clone().map(object).collect::<Vec<_>>(),
        }),
        columns: COLUMNS.to_vec(),
        rows: tables.filter(|table| table.rows > 0).map(row).collect(),
        notes: vec![format!("{file}: {} rows of {taken_at}, from quittance {quittance} on {store}", summary.rows)],
        text: None,
    }
}

/// When a backup was taken, as RFC 3339 has it.
pub(crate) fn time(header: &Header) -> String {
    let micros = header.taken_at.0;
    Timestamp::from_microsecond(micros).map_or_else(|_| format!("{micros} us"), |time| time.to_string())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
