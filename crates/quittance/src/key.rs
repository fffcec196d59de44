//! `quittance key`: credentials of the API. They work at once, whether the server runs already or not.

use crate::arguments::Global;
use crate::operator;
use clap::{Args, Subcommand, ValueEnum};
use quittance_server::operate::Operation;
use std::process::ExitCode;

/// What to do with keys.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Make a key; its secret is shown this once
    Create(Create),
    /// List every key, without secrets
    List,
    /// Take a key out of use, for good
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
const LISTED: [&str; 6] = ["id", "name", "scope", "tenant", "created_at", "revoked_at"];

/// Does it and prints the answer.
pub(crate) fn run(command: Command, global: &Global) -> anyhow::Result<ExitCode> {
    let document = match command {
        Command::Create(Create { tenant, name, scopes }) => {
            let name = operator::named(&name)?;
            let operation = Operation::CreateKey { tenant, name, scope: scopes.name().to_owned() };
            let notes = vec!["keep the secret now: it is stored nowhere and cannot be shown again".to_owned()];
            operator::object(operator::perform(&operation, global)?, &CREATED, notes)
        }
        Command::List => operator::list(operator::perform(&Operation::ListKeys, global)?, &LISTED),
        Command::Revoke(Revoke { id }) => operator::object(
            operator::perform(&Operation::RevokeKey { id }, global)?,
            &["id", "revoked_at"],
            Vec::new(),
        ),
    };
    document.print(global.format())?;
    Ok(ExitCode::SUCCESS)
}
