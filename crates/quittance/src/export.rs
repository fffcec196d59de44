//! `quittance export`: a tenant's books for accounting programs and spreadsheets.

use crate::arguments::Global;
use crate::failure::{Exit, Failure};
use anyhow::Context;
use clap::{Args, ValueEnum};
use quittance_server::export::{AccountError, AccountMap, Export, ExportError, Exported, Form, export};
use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What to export, and for what.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// What it is for
    #[arg(long, value_enum, value_name = "FORM")]
    to: To,
    /// Whose books, where there are several tenants
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
    /// Names of accounts for beancount and hledger: TOML lines such as `unapplied = "Liabilities:Customers"`
    #[arg(long, value_name = "FILE")]
    accounts: Option<PathBuf>,
    /// Write what was held and let go as well; for csv and jsonl only
    #[arg(long)]
    with_holds: bool,
    /// File to write, which must not be there yet; without this, standard output is written
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Names of forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum To {
    /// Beancount, with balances that bean-check proves
    Beancount,
    /// hledger, with balances that `hledger check --strict` proves
    Hledger,
    /// A line for each posting
    Csv,
    /// A JSON object for each movement of money
    Jsonl,
}

impl From<To> for Form {
    fn from(to: To) -> Self {
        match to {
            To::Beancount => Self::Beancount,
            To::Hledger => Self::Hledger,
            To::Csv => Self::Csv,
            To::Jsonl => Self::JsonLines,
        }
    }
}

/// Writes the books.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> anyhow::Result<ExitCode> {
    let Arguments { to, with_holds, .. } = *arguments;
    if global.is_form_named() {
        let remedy = "leave --format and --json out: --to csv and --to jsonl are for programs";
        return Err(Failure::new(Exit::Usage, "--to says the form of an export", remedy).into());
    }
    let is_for_accountants = matches!(to, To::Beancount | To::Hledger);
    if with_holds && is_for_accountants {
        let remedy = "leave it out, or write --to csv or --to jsonl";
        return Err(
            Failure::new(Exit::Usage, "--with-holds: these books know no money that is only held", remedy).into()
        );
    }
    let accounts = match &arguments.accounts {
        Some(path) if is_for_accountants => accounts(path)?,
        Some(_) => {
            let remedy = "leave it out: csv and jsonl name accounts as the API does";
            return Err(Failure::new(Exit::Usage, "--accounts is for beancount and hledger", remedy).into());
        }
        None => AccountMap::default(),
    };
    let asked = Export { tenant: arguments.tenant.as_deref(), form: to.into(), accounts: &accounts, with_holds };
    let written = match &arguments.out {
        Some(path) => to_file(path, &asked, global)?,
        None => to_output(&asked, global)?,
    };
    if let Some(Exported { books, entries }) = written {
        eprintln!("{entries} movements of {books} books, which add up to their balances");
    }
    Ok(Exit::Good.into())
}

fn accounts(path: &Path) -> anyhow::Result<AccountMap> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        let remedy = "name a file that is there and may be read";
        Failure::new(Exit::Usage, format!("--accounts: cannot read {}", path.display()), remedy).because(error)
    })?;
    AccountMap::parse(&text).map_err(|error| unnamed(&error, path))
}

fn unnamed(error: &AccountError, path: &Path) -> anyhow::Error {
    Failure::new(Exit::Usage, format!("{}: {error}", path.display()), "").into()
}

/// To standard output; a reader that has gone away is no failure, and nothing was counted then.
fn to_output(asked: &Export<'_>, global: &Global) -> anyhow::Result<Option<Exported>> {
    let mut out = BufWriter::new(io::stdout().lock());
    match export(&global.data()?, asked, &mut out) {
        Err(ExportError::Write(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(None),
        Err(error) => Err(judged(error)),
        Ok(exported) => Ok(Some(exported)),
    }
}

/// To a file that gets its name when it is whole and durable.
fn to_file(path: &Path, asked: &Export<'_>, global: &Global) -> anyhow::Result<Option<Exported>> {
    let exists = || {
        let what = format!("--out: {} is there already", path.display());
        Failure::new(Exit::Usage, what, "name a file that is not there yet")
    };
    if path.exists() {
        return Err(exists().into());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(|error| {
        let what = format!("--out: cannot make a file in {}", folder.display());
        Failure::new(Exit::Usage, what, "name a folder that is there and may be written").because(error)
    })?;
    let mut out = BufWriter::new(file.as_file_mut());
    let exported = export(&global.data()?, asked, &mut out).map_err(judged)?;
    out.flush().context("cannot write the export")?;
    drop(out);
    file.as_file().sync_all().context("cannot write the export")?;
    file.persist_noclobber(path).map_err(|error| match error.error.kind() {
        ErrorKind::AlreadyExists => anyhow::Error::from(exists()),
        _ => anyhow::Error::from(error.error).context(format!("cannot name the export {}", path.display())),
    })?;
    File::open(folder).and_then(|folder| folder.sync_all()).context("cannot make the export's name durable")?;
    Ok(Some(exported))
}

fn judged(error: ExportError) -> anyhow::Error {
    match error {
        ExportError::Tenant { what, known } => {
            let remedy = match known.as_slice() {
                [] => "quittance tenant create --name NAME makes one".to_owned(),
                known => format!("write --tenant with one of: {}", known.join(", ")),
            };
            Failure::new(Exit::Usage, what, remedy).into()
        }
        ExportError::Account(error) => {
            Failure::new(Exit::Usage, error.to_string(), "--accounts FILE names accounts").into()
        }
        ExportError::Unsound { .. } => {
            let remedy = "`quittance verify` says what is wrong; what was written so far is of no use";
            Failure::new(Exit::Finding, error.to_string(), remedy).into()
        }
        ExportError::Store(_) | ExportError::Write(_) => error.into(),
    }
}
