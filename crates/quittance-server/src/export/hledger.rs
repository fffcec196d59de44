//! hledger's journal: declared accounts and commodities, transactions, and asserted balances at the end.

use super::sheet::{Closing, Entry, Opening, Sheet, day, signed};
use quittance_core::money::decimal;
use std::collections::BTreeSet;
use std::io::{self, Write};

pub(super) struct Hledger;

impl Sheet for Hledger {
    fn begin(&mut self, opening: &Opening<'_>, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "; {}\n", opening.tenant.name.replace(['\n', '\r'], " "))?;
        for currency in opening.balances.keys().map(|(_, currency)| currency).collect::<BTreeSet<_>>() {
            // A decimal mark always stands there, so that a thousand is not taken for one.
            let sample = decimal(1000 * 10_i128.pow(u32::from(currency.exponent())), *currency);
            let mark = if sample.contains('.') { "" } else { "." };
            writeln!(out, "commodity {sample}{mark} {currency}")?;
        }
        let names: BTreeSet<&String> = opening.names.values().collect();
        names.iter().try_for_each(|name| writeln!(out, "account {name}"))
    }

    fn entry(&mut self, entry: &Entry<'_>, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "\n{} * {}", day(entry.record.at, 0), entry.title())?;
        for (name, value) in entry.marks() {
            writeln!(out, "    ; {name}: {value}")?;
        }
        for posting in &entry.movement.postings {
            let (name, currency) = (entry.name(&posting.account), posting.currency);
            writeln!(out, "    {name}  {} {currency}", decimal(signed(posting), currency))?;
        }
        Ok(())
    }

    fn end(&mut self, closing: &Closing<'_>, out: &mut dyn Write) -> io::Result<()> {
        let balances = closing.opening.named_balances();
        if balances.is_empty() {
            return Ok(());
        }
        writeln!(out, "\n{} * what the books say", day(closing.latest, 1))?;
        for ((name, currency), amount) in balances {
            writeln!(
                out,
                "    {name}  {} {currency} = {} {currency}",
                decimal(0, currency),
                decimal(amount, currency)
            )?;
        }
        Ok(())
    }

    fn takes_holds(&self) -> bool {
        false
    }
}
