//! `quittance key`: credentials of the API. They work at once, whether the server runs already or not.

use crate::arguments::Global;
use crate::operator;
use crate::output::Document;
use crate::span;
use clap::{Args, Subcommand, ValueEnum};
use quittance_server::operate::{Operation, rotate_master};
use serde_json::json;
use std::process::ExitCode;

/// What to do with keys.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Make a key; its secret is shown this once
    Create(Create),
    /// List every key, without secrets
    List,
    /// Make a key that takes the place of another, which goes on for a while and then ends by itself
    Rotate(Rotate),
    /// Encrypt what is stored anew, under the first key of `[encryption]`; the others are then needed no more
    RotateMaster(RotateMaster),
    /// Take a key out of use at once, for good
    Revoke(Revoke),
}

/// The key to make.
#[derive(Args, Debug)]
pub(crate) struct Create {
    /// The tenant it acts for, by name or id; without it the only one there is, or, where there is none yet, a new one
    /// called `default`, with play money
    #[arg(long, value_name = "TENANT")]
    tenant: Option<String>,
    /// What people call it
    #[arg(long, value_name = "NAME")]
    name: String,
    /// What it may do; `admin` includes `write`, and `write` includes `read`
    #[arg(long, value_name = "SCOPE", value_enum)]
    scopes: Scope,
}

/// The key to replace.
#[derive(Args, Debug)]
pub(crate) struct Rotate {
    /// Its id (`key_…`), as `key list` shows it; not its secret
    #[arg(value_name = "ID")]
    id: String,
    /// For how long the old key goes on, 90 days at most; 0s for not at all
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = span::of_years)]
    overlap: u64,
}

/// Whether anything is written.
#[derive(Args, Debug)]
pub(crate) struct RotateMaster {
    /// Only count what is left
    #[arg(long)]
    count: bool,
}

/// The key to revoke.
#[derive(Args, Debug)]
pub(crate) struct Revoke {
    /// Its id (`key_…`), as `key list` shows it; not its secret
    #[arg(value_name = "ID")]
    id: String,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Scope {
    /// Everything, including what operators do
    Admin,
    /// Reads and writes of the API
    Write,
    /// Reads only
    Read,
}

impl Scope {
    const fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Write => "write",
            Self::Read => "read",
        }
    }
}

const CREATED: [&str; 5] = ["id", "secret", "name", "scope", "tenant"];
const ROTATED: [&str; 6] = ["id", "secret", "name", "scope", "tenant", "old_ends_at"];
const LISTED: [&str; 8] = ["id", "name", "scope", "tenant", "created_at", "last_used_at", "ends_at", "revoked_at"];

/// What is said beside a secret.
const KEEP: &str = "keep the secret now: it is stored nowhere and cannot be shown again";

/// Does it and prints the answer.
pub(crate) fn run(command: Command, global: &Global) -> anyhow::Result<ExitCode> {
    let document = match command {
        Command::RotateMaster(RotateMaster { count }) => rotated(count, global)?,
        Command::Create(Create { tenant, name, scopes }) => {
            let name = operator::named(&name)?;
            let operation = Operation::CreateKey { tenant, name, scope: scopes.name().to_owned() };
            operator::object(operator::perform(&operation, global)?, &CREATED, vec![KEEP.to_owned()])
        }
        Command::List => operator::list(operator::perform(&Operation::ListKeys, global)?, &LISTED),
        Command::Rotate(Rotate { id, overlap }) => {
            let operation = Operation::RotateKey { id, overlap_s: overlap.div_ceil(1_000) };
            let mut answer = operator::perform(&operation, global)?;
            answer["old_ends_at"] = answer["replaces"]["ends_at"].clone();
            let old = answer["replaces"]["id"].as_str().unwrap_or_default();
            let ends = format!("{old} goes on until {}", answer["old_ends_at"].as_str().unwrap_or_default());
            operator::object(answer, &ROTATED, vec![KEEP.to_owned(), ends])
        }
        Command::Revoke(Revoke { id }) => operator::object(
            operator::perform(&Operation::RevokeKey { id }, global)?,
            &["id", "revoked_at"],
            Vec::new(),
        ),
    };
    document.print(global.format())?;
    Ok(ExitCode::SUCCESS)
}

/// Rows after which a line is printed.
const ROWS_PER_LINE: u64 = 10_000;

/// Seals everything anew, or counts what is left.
fn rotated(counts: bool, global: &Global) -> anyhow::Result<Document> {
    let mut lines = 0;
    let resealed = rotate_master(&global.data()?, !counts, &mut |done, left| {
        if done / ROWS_PER_LINE > lines {
            eprintln!("{done} rows are sealed anew, {left} are left");
        }
        lines = done / ROWS_PER_LINE;
    })?;
    let columns = vec!["key", "resealed", "left", "in use", "retired"];
    let (in_use, retired) = (resealed.in_use.join(", "), resealed.retired.join(", "));
    let row = vec![resealed.key.clone(), resealed.resealed.to_string(), resealed.left.to_string(), in_use, retired];
    let mut notes = Vec::new();
    if !resealed.retired.is_empty() {
        notes.push(
            "keys that are retired may leave the configuration of every server; backups from before need them".into(),
        );
    } else if resealed.left > 0 {
        notes.push("what is left needs its keys: run it again without --count".into());
    }
    Ok(Document { json: json!(resealed), columns, rows: vec![row], notes, text: None })
}
