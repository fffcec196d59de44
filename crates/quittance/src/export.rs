//! `quittance export`: a tenant's books for accounting programs and spreadsheets, and every journal for auditors.

use crate::arguments::Global;
use crate::failure::{Exit, Failure};
use anyhow::Context;
use clap::{Args, ValueEnum};
use quittance_server::audit::{self, SigningKey};
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
    /// Private key that an export for auditors is signed with: a file of 64 hexadecimal digits (`openssl rand -hex 32`)
    #[arg(long, value_name = "FILE")]
    signing_key: Option<PathBuf>,
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
    /// Every record of every journal, sealed; `verify --audit` checks it
    Audit,
}

impl To {
    /// The form of a tenant's books; none for what is of all of them.
    const fn form(self) -> Option<Form> {
        match self {
            Self::Beancount => Some(Form::Beancount),
            Self::Hledger => Some(Form::Hledger),
            Self::Csv => Some(Form::Csv),
            Self::Jsonl => Some(Form::JsonLines),
            Self::Audit => None,
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
    let Some(form) = to.form() else { return audited(arguments, global) };
    if arguments.signing_key.is_some() {
        let remedy = "leave it out, or write --to audit";
        return Err(Failure::new(Exit::Usage, "--signing-key: only an export for auditors is signed", remedy).into());
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
    let asked = Export { tenant: arguments.tenant.as_deref(), form, accounts: &accounts, with_holds };
    let data = global.data()?;
    let written = written(arguments.out.as_deref(), |out| export(&data, &asked, out).map_err(judged))?;
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

/// Every record of every journal, for an auditor.
fn audited(arguments: &Arguments, global: &Global) -> anyhow::Result<ExitCode> {
    let Arguments { tenant, accounts, with_holds, signing_key, out, .. } = arguments;
    if tenant.is_some() || accounts.is_some() || *with_holds {
        let remedy = "leave --tenant, --accounts and --with-holds out: an export for auditors has every record of all";
        return Err(Failure::new(Exit::Usage, "--to audit takes no part of the books", remedy).into());
    }
    let key = signing_key.as_deref().map(self::signing_key).transpose()?;
    let data = global.data()?;
    let exported = written(out.as_deref(), |out| audit::export(&data, key.as_ref(), out).map_err(unsound))?;
    if let Some(audit::Exported { chains, records, public_key }) = exported {
        eprintln!("{records} records of {chains} journals");
        match public_key {
            Some(key) => eprintln!("signed; keep the public key apart from the file: {key}"),
            None => eprintln!("not signed: whoever can change the file can seal it again (--signing-key)"),
        }
    }
    Ok(Exit::Good.into())
}

fn signing_key(path: &Path) -> anyhow::Result<SigningKey> {
    let usage = |what: String| Failure::new(Exit::Usage, what, "make one with `openssl rand -hex 32 > FILE`");
    let text = std::fs::read_to_string(path)
        .map_err(|error| usage(format!("--signing-key: cannot read {}", path.display())).because(error))?;
    let key = SigningKey::from_hex(&text);
    Ok(key.ok_or_else(|| usage(format!("--signing-key: {} does not hold 64 hexadecimal digits", path.display())))?)
}

/// Whether whoever reads standard output has gone away.
fn is_left(cause: &(dyn std::error::Error + 'static)) -> bool {
    cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}

/// Writes to a file, or where none is named to standard output; a reader that has gone away is no failure, and nothing
/// was counted then.
fn written<T>(
    path: Option<&Path>,
    write: impl FnOnce(&mut dyn Write) -> anyhow::Result<T>,
) -> anyhow::Result<Option<T>> {
    let Some(path) = path else {
        let mut out = BufWriter::new(io::stdout().lock());
        return match write(&mut out) {
            Err(error) if error.chain().any(is_left) => Ok(None),
            done => done.map(Some),
        };
    };
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
    let done = write(&mut out)?;
    out.flush().context("cannot write the export")?;
    drop(out);
    file.as_file().sync_all().context("cannot write the export")?;
    file.persist_noclobber(path).map_err(|error| match error.error.kind() {
        ErrorKind::AlreadyExists => anyhow::Error::from(exists()),
        _ => anyhow::Error::from(error.error).context(format!("cannot name the export {}", path.display())),
    })?;
    File::open(folder).and_then(|folder| folder.sync_all()).context("cannot make the export's name durable")?;
    Ok(Some(done))
}

fn unsound(error: audit::ExportError) -> anyhow::Error {
    match error {
        audit::ExportError::Unsound { .. } => {
            let remedy = "`quittance verify` says what is wrong; what was written so far has no seal";
            Failure::new(Exit::Finding, error.to_string(), remedy).into()
        }
        other => other.into(),
    }
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
