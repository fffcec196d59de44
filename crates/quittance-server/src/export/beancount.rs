//! Beancount's language, version 3 (and 2): `open`, transactions, and `balance` at the end.

use super::sheet::{Closing, Entry, Opening, Sheet, day, signed};
use crate::render::time;
use quittance_core::money::decimal;
use std::io::{self, Write};

pub(super) struct Beancount;

impl Sheet for Beancount {
    fn begin(&mut self, opening: &Opening<'_>, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "option \"title\" {}\n", quoted(&opening.tenant.name))?;
        // Beancount opens accounts before anything happened: nothing here is older than computers' clocks.
        let mut names: Vec<&String> = opening.names.values().collect();
        names.sort_unstable();
        names.dedup();
        names.iter().try_for_each(|name| writeln!(out, "1970-01-01 open {name}"))
    }

    fn entry(&mut self, entry: &Entry<'_>, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "\n{} * {}", day(entry.record.at, 0), quoted(&entry.title()))?;
        writeln!(out, "  at: {}", quoted(&time(entry.record.at)))?;
        for (name, value) in entry.marks() {
            writeln!(out, "  {name}: {}", quoted(&value))?;
        }
        for posting in &entry.movement.postings {
            let (name, currency) = (entry.name(&posting.account), posting.currency);
            writeln!(out, "  {name}  {} {currency}", decimal(signed(posting), currency))?;
        }
        Ok(())
    }

    fn end(&mut self, closing: &Closing<'_>, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "\n; What the books say: checked at the beginning of the day after the newest entry.")?;
        let day = day(closing.latest, 1);
        for ((name, currency), amount) in closing.opening.named_balances() {
            writeln!(out, "{day} balance {name}  {} {currency}", decimal(amount, currency))?;
        }
        Ok(())
    }

    fn takes_holds(&self) -> bool {
        false
    }
}

/// A text in quotes.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace(['\n', '\r'], " "))
}
