//! An older export of the same books, read beside a newer one: both are in the same order, so one end of a chain is held.

use super::{AuditError, Lines};
use crate::audit::line::{Line, read_head};
use std::io::BufRead;

/// A chain, the number of one of its records, and what is wrong with it.
type Missed = (String, i64, String);

/// An older export while a newer one is read.
pub(super) struct Older<'a> {
    lines: Lines<'a>,
    /// A record that was read and belongs to the chain after the one that is held.
    ahead: Option<Line>,
    /// Where the chain ended that is looked for.
    end: Option<Line>,
    /// Whether it was met.
    is_met: bool,
}

impl<'a> Older<'a> {
    pub(super) fn begin(input: &'a mut dyn BufRead) -> Result<Self, AuditError> {
        let mut lines = Lines::new(input);
        let head = lines.next()?.unwrap_or_default();
        read_head(&head).map_err(|what| AuditError::Older { line: 1, what })?;
        let mut older = Self { lines, ahead: None, end: None, is_met: false };
        older.next_chain()?;
        Ok(older)
    }

    /// Reads on to the end of the next chain.
    fn next_chain(&mut self) -> Result<(), AuditError> {
        self.is_met = false;
        self.end = self.ahead.take();
        while let Some(text) = self.lines.next()? {
            if text.starts_with("{\"seal\":") {
                break;
            }
            let (line, _) = Line::read(&text).map_err(|what| AuditError::Older { line: self.lines.number, what })?;
            if self.end.as_ref().is_some_and(|end| end.chain != line.chain) {
                self.ahead = Some(line);
                break;
            }
            self.end = Some(line);
        }
        Ok(())
    }

    /// A record of the newer export: gives what the older one has and the newer one should have had by now.
    pub(super) fn meet(&mut self, line: &Line) -> Result<Vec<Missed>, AuditError> {
        let mut missed = Vec::new();
        while let Some(end) = &self.end {
            if end.chain < line.chain {
                missed.extend(self.missed());
                self.next_chain()?;
                continue;
            }
            if end.chain == line.chain && end.seq == line.seq {
                self.is_met = true;
                if end.hash != line.hash {
                    let what = "the older export has another record under this number".to_owned();
                    missed.push((line.chain.to_string(), line.seq, what));
                }
            }
            break;
        }
        Ok(missed)
    }

    /// What the older one has and the newer one has not.
    pub(super) fn end(mut self) -> Result<Vec<Missed>, AuditError> {
        let mut missed = Vec::new();
        while self.end.is_some() {
            missed.extend(self.missed());
            self.next_chain()?;
        }
        Ok(missed)
    }

    fn missed(&self) -> Option<Missed> {
        let Line { chain, seq, .. } = self.end.as_ref().filter(|_| !self.is_met)?;
        Some((chain.to_string(), *seq, format!("the older export goes up to record {seq}, which is not here")))
    }
}
