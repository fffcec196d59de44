//! `quittance import`: a list of corrections is written to one side of a pair, all of it or nothing.

use super::{told, warn};
use crate::arguments::Global;
use crate::diff::BY;
use crate::failure::Exit;
use clap::{Args, ValueEnum};
use quittance_core::pair::Which;
use quittance_server::config::Config;
use quittance_server::reconcile::import::Form;
use quittance_server::reconcile::session::{ImportRequest, ImportVerdict, Session};
use std::path::PathBuf;
use std::process::ExitCode;

/// What to write where.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The pair, as the configuration names it: [pairs.NAME]
    pair: String,
    /// The list: CSV in UTF-8 whose first line names the columns of the table that find a record, those that are to be set,
    /// and, as `old:COLUMN`, those that have to hold something
    #[arg(value_name = "FILE.csv")]
    file: PathBuf,
    /// The column that finds a record, several separated by commas; without it, what tells records apart, or what the pair
    /// matches by first
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    key: Vec<String>,
    /// The side that is corrected; without it, the one that may be written
    #[arg(long, value_name = "SIDE")]
    side: Option<Side>,
    /// What stands between cells: one character, or `tab`
    #[arg(long, value_name = "CHARACTER", default_value = ",", value_parser = delimiter)]
    delimiter: u8,
    /// What a cell says to say NULL; an empty cell is an empty text where this is something else
    #[arg(long, value_name = "WORD", default_value = "")]
    null: String,
    /// Write it; without this, what would be written is only shown
    #[arg(long)]
    apply: bool,
    /// Write what takes something away from a customer, too
    #[arg(long)]
    allow_take_aways: bool,
    /// Permit so many repairs, in the place of both limits of the configuration
    #[arg(long, value_name = "N")]
    repairs_max: Option<u64>,
}

/// One of the two sides of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Side {
    Left,
    Right,
}

fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        _ if matches!(text, "tab" | "\\t") => Ok(b'\t'),
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n') => Ok(*byte),
        _ => Err("write one character, as , or ; or tab".to_owned()),
    }
}

/// Looks at a list, and writes it where that was asked for.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> anyhow::Result<ExitCode> {
    let config = Config::load(global.config.as_deref())?;
    let data = global.data()?;
    let session = Session::new(&config, &arguments.pair, &data, BY)?;
    let mut imported = session.import(&ImportRequest {
        file: &arguments.file,
        form: Form { delimiter: arguments.delimiter, null: arguments.null.clone() },
        which: arguments.side.map(|side| if side == Side::Left { Which::Left } else { Which::Right }),
        key: &arguments.key,
        is_applied: arguments.apply,
        may_take_away: arguments.allow_take_aways,
        repairs_max: arguments.repairs_max,
    })?;
    warn(&imported.begun);
    told::imported(&imported, arguments.apply, &session).print(global.format())?;
    match imported.failed.take() {
        Some(error) => Err(error.into()),
        None => Ok(match imported.verdict() {
            ImportVerdict::Good => Exit::Good,
            ImportVerdict::Left => Exit::Finding,
            ImportVerdict::Bad => Exit::Usage,
            ImportVerdict::Braked => Exit::Braked,
        }
        .into()),
    }
}
