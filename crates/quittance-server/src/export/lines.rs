//! Forms for programs: CSV with a line for each posting, and JSON Lines with one for each movement.

use super::sheet::{Closing, Entry, Opening, Sheet};
use crate::entries::{EntryView, side};
use crate::render::time;
use std::io::{self, Write};

/// Columns of the CSV; `amount` is in minor units, as everywhere in the API.
const COLUMNS: [&str; 11] =
    ["at", "customer", "record", "movement", "payment", "refund", "dispute", "account", "side", "amount", "currency"];

pub(super) struct Csv;

impl Sheet for Csv {
    fn begin(&mut self, _: &Opening<'_>, out: &mut dyn Write) -> io::Result<()> {
        line(&COLUMNS.map(str::to_owned), out)
    }

    fn entry(&mut self, entry: &Entry<'_>, out: &mut dyn Write) -> io::Result<()> {
        let (record, movement) = (entry.record, entry.movement);
        for posting in &movement.postings {
            let cells = [
                time(record.at),
                record.book.to_string(),
                record.seq.to_string(),
                movement.word.to_owned(),
                movement.payment.map(|id| id.to_string()).unwrap_or_default(),
                movement.refund.map(|id| id.to_string()).unwrap_or_default(),
                movement.dispute.map(|id| id.to_string()).unwrap_or_default(),
                posting.account.to_string(),
                side(posting.side).to_owned(),
                posting.amount.to_string(),
                posting.currency.to_string(),
            ];
            line(&cells, out)?;
        }
        Ok(())
    }

    fn end(&mut self, _: &Closing<'_>, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }

    fn takes_holds(&self) -> bool {
        true
    }
}

/// Writes a line as RFC 4180 has it.
fn line(cells: &[String; COLUMNS.len()], out: &mut dyn Write) -> io::Result<()> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(cells)?;
    let bytes = writer.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
    out.write_all(&bytes)
}

pub(super) struct JsonLines;

impl Sheet for JsonLines {
    fn begin(&mut self, _: &Opening<'_>, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }

    fn entry(&mut self, entry: &Entry<'_>, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(&mut *out, &EntryView::of(entry.record, entry.movement))?;
        out.write_all(b"\n")
    }

    fn end(&mut self, _: &Closing<'_>, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }

    fn takes_holds(&self) -> bool {
        true
    }
}
