//! Checking an export: every record against its bytes and the one before it, every line and end of a chain against the seal,
//! the seal against a key, and all of it against an older export. Needs the file and nothing else; holds one line at a time.

mod older;

use super::line::{Head, Line, read_head};
use super::seal::{Sealed, Sealing, hex};
use older::Older;
use std::io::{self, BufRead};

/// The longest line that is read, in bytes. A batch of repairs, with what they say, is some hundred KiB.
const LINE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Faults that are told; the others are counted.
const FAULTS_MAX: usize = 100;

/// What an export is to come to, beside being whole.
#[derive(Default)]
pub struct Demand<'a> {
    /// Whose signature it has to have.
    pub public_key: Option<[u8; 32]>,
    /// An export that was made before of the same books: whatever it has, the other one has to have as well.
    pub after: Option<&'a mut dyn BufRead>,
}

/// Something that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1.
    pub line: u64,
    /// The customer, or `pair:NAME`, where it is known.
    pub chain: Option<String>,
    /// The number of its record.
    pub seq: Option<i64>,
    /// What is wrong.
    pub what: String,
}

/// What an export comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Journals of customers and of pairs.
    pub chains: u64,
    /// Their records.
    pub records: u64,
    /// When it was made, as it says.
    pub made_at: Option<String>,
    /// The public key whose signature it has, in hexadecimal.
    pub signed_by: Option<String>,
    /// Lines whose words are those of another version of the program, so that nothing is known of them: only their bytes hold.
    pub unchecked_words: u64,
    /// The version that worded them, as the file says.
    pub worded_by: Option<String>,
    /// What does not hold, the first of each chain, 100 at most.
    pub faults: Vec<Fault>,
    /// How much that is.
    pub faults_count: u64,
}

/// Why an export cannot be checked.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// It cannot be read.
    #[error("cannot be read")]
    Read(#[from] io::Error),
    /// The older one is none.
    #[error("line {line} of the older export: {what}")]
    Older {
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        what: String,
    },
}

/// Checks an export.
///
/// # Errors
///
/// [`AuditError`]; whatever is wrong with the export itself is a [`Fault`].
pub fn check(input: &mut dyn BufRead, demand: Demand<'_>) -> Result<Checked, AuditError> {
    let older = demand.after.map(|older| Older::begin(older, demand.public_key)).transpose()?;
    let mut checking = Checking { older, ..Checking::default() };
    let mut lines = Lines::new(input);
    while let Some(bytes) = lines.next()? {
        checking.take(lines.number, &bytes)?;
    }
    checking.end(lines.number, demand.public_key)
}

/// The lines of a file, one at a time.
struct Lines<'a> {
    input: &'a mut dyn BufRead,
    /// Of the line that was read last, from 1.
    number: u64,
}

impl<'a> Lines<'a> {
    fn new(input: &'a mut dyn BufRead) -> Self {
        Self { input, number: 0 }
    }

    /// The next line with its end, if it has one; what is too long is read as far as it goes, and is no line.
    fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        let mut limited = io::Read::take(&mut *self.input, LINE_BYTES_MAX);
        if limited.read_until(b'\n', &mut bytes)? == 0 {
            return Ok(None);
        }
        self.number += 1;
        Ok(Some(bytes))
    }
}

#[derive(Default)]
struct Checking<'a> {
    checked: Checked,
    sealing: Sealing,
    older: Option<Older<'a>>,
    sealed: Option<Sealed>,
    /// The line before could not be read, so nothing can be said of what follows it.
    is_lost: bool,
    /// The chain of which a fault was told.
    faulty: Option<String>,
    head: Option<Head>,
    /// Lines that say something else than this program makes of their bytes. Where another version wrote them, and they are
    /// as they were sealed, that is no fault, and their words are not known to be true.
    reworded: Vec<Fault>,
    reworded_count: u64,
}

impl Checking<'_> {
    fn take(&mut self, number: u64, bytes: &[u8]) -> Result<(), AuditError> {
        if self.sealed.is_some() {
            self.fault(number, None, "it goes on after its seal".to_owned());
            return Ok(());
        }
        let Ok(text) = std::str::from_utf8(bytes) else {
            self.sealing.add(bytes);
            self.is_lost = true;
            self.fault(number, None, "this is no text in UTF-8".to_owned());
            return Ok(());
        };
        if number == 1 {
            match read_head(text) {
                Ok(head) => self.head = Some(head),
                Err(what) => self.fault(1, None, what),
            }
            self.sealing.add(bytes);
            return Ok(());
        }
        if text.starts_with("{\"seal\":") {
            self.take_seal(number, text);
            return Ok(());
        }
        self.sealing.add(bytes);
        let (line, is_ours) = match Line::read(text) {
            Ok(read) => read,
            Err(what) => {
                self.is_lost = true;
                self.fault(number, None, what);
                return Ok(());
            }
        };
        let followed = self.sealing.follow(&line);
        let before = match &mut self.older {
            Some(older) => older.meet(&line)?,
            None => Vec::new(),
        };
        let name = line.chain.to_string();
        self.reworded_count += u64::from(!is_ours);
        if !is_ours && self.reworded.len() < FAULTS_MAX {
            let what = "what it says is not what its bytes say".to_owned();
            self.reworded.push(Fault { line: number, chain: Some(name.clone()), seq: Some(line.seq), what });
        }
        // The first fault of a chain is told; what follows from it is not.
        let is_known = self.faulty.as_deref() == Some(&name);
        let was_lost = std::mem::take(&mut self.is_lost);
        if let Err(what) = followed {
            self.faulty = Some(name.clone());
            if !is_known && !was_lost {
                self.fault(number, Some((name, line.seq)), what);
            }
        }
        for (chain, seq, what) in before {
            self.fault(number, Some((chain, seq)), what);
        }
        Ok(())
    }

    fn take_seal(&mut self, number: u64, text: &str) {
        match serde_json::from_str::<Sealed>(text) {
            Ok(sealed) if sealed.text() == text => self.sealed = Some(sealed),
            Ok(_) => self.fault(number, None, "the seal is not written as seals are".to_owned()),
            Err(error) => self.fault(number, None, format!("no seal: {error}")),
        }
    }

    fn fault(&mut self, line: u64, place: Option<(String, i64)>, what: String) {
        self.checked.faults_count += 1;
        if self.checked.faults.len() < FAULTS_MAX {
            let (chain, seq) = place.unzip();
            self.checked.faults.push(Fault { line, chain, seq, what });
        }
    }

    /// What is left to be said when all lines were read.
    fn end(mut self, last: u64, key: Option<[u8; 32]>) -> Result<Checked, AuditError> {
        let rest = self.older.take().map(Older::end).transpose()?.unwrap_or_default();
        for (chain, seq, what) in rest {
            self.fault(last, Some((chain, seq)), what);
        }
        let sealing = std::mem::take(&mut self.sealing);
        (self.checked.chains, self.checked.records) = sealing.counts();
        let Some(sealed) = self.sealed.take() else {
            if self.checked.faults_count == 0 {
                self.fault(last, None, "it has no seal: its end is missing".to_owned());
            }
            return Ok(self.checked);
        };
        let is_ours = self.head.as_ref().is_some_and(Head::is_ours);
        let (made_at, by) = self.head.take().map(|head| (head.made_at, head.by)).unzip();
        let is_as_sealed = sealing.seal(made_at.clone().unwrap_or_default()) == sealed.seal;
        self.checked.made_at = made_at;
        if is_ours || !is_as_sealed {
            for Fault { line, chain, seq, what } in std::mem::take(&mut self.reworded) {
                self.fault(line, chain.zip(seq), what);
            }
        } else if self.reworded_count > 0 {
            self.checked.unchecked_words = self.reworded_count;
            self.checked.worded_by = by;
        }
        // Whatever was changed is named already, where a line tells it.
        if self.checked.faults_count == 0 && !is_as_sealed {
            self.fault(last, None, "its lines are not those that were sealed".to_owned());
        }
        self.judge(&sealed, last, key);
        Ok(self.checked)
    }

    fn judge(&mut self, sealed: &Sealed, last: u64, key: Option<[u8; 32]>) {
        let is_signed = sealed.is_signed();
        if sealed.has_signature() && !is_signed {
            self.fault(last, None, "the signature is not that of its key over this seal".to_owned());
        }
        self.checked.signed_by = sealed.key.clone().filter(|_| is_signed);
        let Some(expected) = key.map(|key| hex(&key)) else { return };
        match &self.checked.signed_by {
            Some(by) if *by == expected => {}
            Some(by) => self.fault(last, None, format!("it is signed by another key, {by}")),
            None => self.fault(last, None, "it is not signed by this key".to_owned()),
        }
    }
}
