//! An older export of the same books, read beside a newer one: both are in the same order, so one end of a chain is held. It has
//! to be whole itself, or what it asks for would be what somebody left of it.

use super::{AuditError, Lines};
use crate::audit::line::{Line, read_head};
use crate::audit::seal::{Sealed, Sealing, hex};
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
    sealing: Sealing,
    made_at: String,
    is_sealed: bool,
    /// Whose signature it has to have.
    public_key: Option<[u8; 32]>,
}

impl<'a> Older<'a> {
    pub(super) fn begin(input: &'a mut dyn BufRead, public_key: Option<[u8; 32]>) -> Result<Self, AuditError> {
        let mut lines = Lines::new(input);
        let bytes = lines.next()?.unwrap_or_default();
        let head = read_head(&String::from_utf8_lossy(&bytes)).map_err(|what| AuditError::Older { line: 1, what })?;
        let mut sealing = Sealing::default();
        sealing.add(&bytes);
        let made_at = head.made_at;
        let mut older =
            Self { lines, ahead: None, end: None, is_met: false, sealing, made_at, is_sealed: false, public_key };
        older.next_chain()?;
        Ok(older)
    }

    /// Reads on to the end of the next chain.
    fn next_chain(&mut self) -> Result<(), AuditError> {
        self.is_met = false;
        self.end = self.ahead.take();
        while let Some(line) = self.next_record()? {
            if self.end.as_ref().is_some_and(|end| end.chain != line.chain) {
                self.ahead = Some(line);
                break;
            }
            self.end = Some(line);
        }
        Ok(())
    }

    /// The next record; none behind the last, where its seal has to be.
    fn next_record(&mut self) -> Result<Option<Line>, AuditError> {
        if self.is_sealed {
            return Ok(None);
        }
        let Some(bytes) = self.lines.next()? else { return Err(self.wrong("it has no seal: its end is missing")) };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if text.starts_with("{\"seal\":") {
            self.check_seal(&text)?;
            self.is_sealed = true;
            return Ok(None);
        }
        self.sealing.add(&bytes);
        let (line, _) = Line::read(&text).map_err(|what| self.wrong(&what))?;
        self.sealing.follow(&line).map_err(|what| self.wrong(&what))?;
        Ok(Some(line))
    }

    fn check_seal(&mut self, text: &str) -> Result<(), AuditError> {
        let sealed: Sealed = serde_json::from_str(text).map_err(|error| self.wrong(&format!("no seal: {error}")))?;
        let sealing = std::mem::take(&mut self.sealing);
        if sealing.seal(std::mem::take(&mut self.made_at)) != sealed.seal {
            return Err(self.wrong("its lines are not those that were sealed"));
        }
        let is_signed = sealed.is_signed();
        if sealed.has_signature() && !is_signed {
            return Err(self.wrong("the signature is not that of its key over this seal"));
        }
        match self.public_key.map(|key| hex(&key)) {
            Some(key) if !is_signed || sealed.key.as_deref() != Some(&key) => {
                Err(self.wrong("it is not signed by this key"))
            }
            _ => Ok(()),
        }
    }

    fn wrong(&self, what: &str) -> AuditError {
        AuditError::Older { line: self.lines.number, what: what.to_owned() }
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
