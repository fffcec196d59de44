//! `quittance tenant`: organisations, each with books of its own.

use crate::arguments::Global;
use crate::operator;
use clap::{Args, Subcommand, ValueEnum};
use quittance_server::operate::Operation;
use std::process::ExitCode;

/// What to do with tenants.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Make a tenant
    Create(Create),
    /// List every tenant
    List,
}

/// The tenant to make.
#[derive(Args, Debug)]
pub(crate) struct Create {
    /// Its name, which no other tenant has
    #[arg(long, value_name = "NAME")]
    name: String,
    /// Whether its money is real; this cannot be changed later
    #[arg(long, value_enum, default_value_t = Mode::Test)]
    mode: Mode,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Mode {
    /// Real money
    Live,
    /// Play money
    Test,
}

const COLUMNS: [&str; 4] = ["id", "name", "mode", "created_at"];

/// Does it and prints the answer.
pub(crate) fn run(command: Command, global: &Global) -> anyhow::Result<ExitCode> {
    let document = match command {
        Command::Create(Create { name, mode }) => {
            let mode = match mode {
                Mode::Live => "live",
                Mode::Test => "test",
            };
            let operation = Operation::CreateTenant { name: operator::named(&name)?, mode: mode.to_owned() };
            operator::object(operator::perform(&operation, global)?, &COLUMNS, Vec::new())
        }
        Command::List => operator::list(operator::perform(&Operation::ListTenants, global)?, &COLUMNS),
    };
    document.print(global.format())?;
    Ok(ExitCode::SUCCESS)
}
