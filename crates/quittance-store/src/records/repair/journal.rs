//! The journal of repairs: one chain for each pair, one entry for each batch.

use super::{RepairSource, RepairState};
use crate::records::codec::{CodecError, Reader, Writer};
use crate::records::row::{Columns, Corrupt, Entity};
use crate::schema::Table;
use crate::tables::{REPAIR_HEADS, REPAIR_JOURNAL};
use crate::value::Row;
use quittance_core::id::RunId;
use quittance_core::time::Timestamp;
use sha2::{Digest, Sha256};

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RepairNews {
    /// A run began.
    Began {
        /// The run.
        run: RunId,
        /// Why ([`super::RepairCause::name`]).
        cause: String,
        /// The run that it takes back.
        undoes: Option<RunId>,
        /// Who made it.
        by: String,
        /// How many repairs it has.
        repairs: i64,
        /// The list that it is made of.
        source: Option<RepairSource>,
    },
    /// These repairs are to be made.
    Planned {
        /// Their run.
        run: RunId,
        /// The number of the first; the others follow.
        from: i64,
        /// What each begins as, and its plan, encoded.
        repairs: Vec<(RepairState, Vec<u8>)>,
    },
    /// This became of repairs.
    Settled {
        /// Their run.
        run: RunId,
        /// Who settled them.
        by: String,
        /// For each its number, what became of it, and what the system said.
        outcomes: Vec<(i64, RepairState, Option<String>)>,
    },
}

impl RepairNews {
    /// The number of its kind at rest.
    #[must_use]
    pub const fn kind(&self) -> i64 {
        match self {
            Self::Began { .. } => 1,
            Self::Planned { .. } => 2,
            Self::Settled { .. } => 3,
        }
    }
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepairEntry {
    /// The pair.
    pub pair: String,
    /// Its number, from 1, without a gap.
    pub seq: i64,
    /// The kind of news.
    pub kind: i64,
    /// When it was written.
    pub at: Timestamp,
    /// The news, encoded ([`encode_news`]).
    pub body: Vec<u8>,
    /// Hash of the entry before.
    pub prev_hash: [u8; 32],
    /// Its own.
    pub hash: [u8; 32],
}

/// How far the chain of a pair has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepairHead {
    /// The pair.
    pub pair: String,
    /// Number of the newest entry.
    pub seq: i64,
    /// Its hash.
    pub hash: [u8; 32],
}

/// The hash of an entry.
#[must_use]
pub fn chain_repair(entry: &RepairEntry) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(b"quittance repairs 1\n");
    hasher.update((entry.pair.len() as u64).to_be_bytes());
    hasher.update(entry.pair.as_bytes());
    hasher.update(entry.seq.to_be_bytes());
    hasher.update(entry.kind.to_be_bytes());
    hasher.update(entry.at.0.to_be_bytes());
    hasher.update(entry.prev_hash);
    hasher.update((entry.body.len() as u64).to_be_bytes());
    hasher.update(&entry.body);
    hasher.finalize().into()
}

/// Writes news.
#[must_use]
pub fn encode_news(news: &RepairNews) -> Vec<u8> {
    let mut writer = Writer::version(1);
    let many = |length: usize| u32::try_from(length).expect("batches are bounded");
    match news {
        RepairNews::Began { run, cause, undoes, by, repairs, source } => {
            writer.fixed(&run.bytes()).text(cause).text(by).integer(*repairs);
            writer.option(*undoes, |writer, run| {
                writer.fixed(&run.bytes());
            });
            writer.option(source.as_ref(), |writer, source| {
                writer.fixed(&source.sha256).text(&source.name);
            });
        }
        RepairNews::Planned { run, from, repairs } => {
            writer.fixed(&run.bytes()).integer(*from).count(many(repairs.len()));
            for (state, plan) in repairs {
                writer.text(state.name()).bytes(plan);
            }
        }
        RepairNews::Settled { run, by, outcomes } => {
            writer.fixed(&run.bytes()).text(by).count(many(outcomes.len()));
            for (no, state, detail) in outcomes {
                writer.integer(*no).text(state.name());
                writer.option(detail.as_ref(), |writer, detail| {
                    writer.text(detail);
                });
            }
        }
    }
    writer.finish()
}

/// Reads news of a kind.
///
/// # Errors
///
/// [`CodecError`].
pub fn decode_news(kind: i64, bytes: &[u8]) -> Result<RepairNews, CodecError> {
    let mut reader = Reader::open(bytes, 1)?;
    let run = RunId::from_bytes(reader.fixed()?);
    let news = match kind {
        1 => {
            let (cause, by, repairs) = (reader.text()?, reader.text()?, reader.integer()?);
            let undoes = reader.option(|reader| reader.fixed().map(RunId::from_bytes))?;
            let source = reader.option(|reader| Ok(RepairSource { sha256: reader.fixed()?, name: reader.text()? }))?;
            RepairNews::Began { run, cause, undoes, by, repairs, source }
        }
        2 => {
            let from = reader.integer()?;
            let plan = |reader: &mut Reader<'_>| Ok((state(reader)?, reader.bytes()?.to_vec()));
            let repairs = (0..reader.count()?).map(|_| plan(&mut reader)).collect::<Result<_, CodecError>>()?;
            RepairNews::Planned { run, from, repairs }
        }
        3 => {
            let by = reader.text()?;
            let outcome =
                |reader: &mut Reader<'_>| Ok((reader.integer()?, state(reader)?, reader.option(Reader::text)?));
            let outcomes = (0..reader.count()?).map(|_| outcome(&mut reader)).collect::<Result<_, CodecError>>()?;
            RepairNews::Settled { run, by, outcomes }
        }
        _ => return Err(CodecError::OutOfRange),
    };
    reader.end()?;
    Ok(news)
}

fn state(reader: &mut Reader<'_>) -> Result<RepairState, CodecError> {
    RepairState::named(&reader.text()?).ok_or(CodecError::OutOfRange)
}

impl Entity for RepairEntry {
    fn table() -> &'static Table {
        &REPAIR_JOURNAL
    }

    fn to_row(&self) -> Row {
        vec![
            self.pair.as_str().into(),
            self.seq.into(),
            self.kind.into(),
            self.at.0.into(),
            self.body.clone().into(),
            self.prev_hash.into(),
            self.hash.into(),
        ]
    }

    fn from_row(row: &Row) -> Result<Self, Corrupt> {
        let mut columns = Columns::of(&REPAIR_JOURNAL, row)?;
        Ok(Self {
            pair: columns.text()?,
            seq: columns.integer()?,
            kind: columns.integer()?,
            at: columns.time()?,
            body: columns.bytes()?.to_vec(),
            prev_hash: columns.fixed()?,
            hash: columns.fixed()?,
        })
    }
}

impl Entity for RepairHead {
    fn table() -> &'static Table {
        &REPAIR_HEADS
    }

    fn to_row(&self) -> Row {
        vec![self.pair.as_str().into(), self.seq.into(), self.hash.into()]
    }

    fn from_row(row: &Row) -> Result<Self, Corrupt> {
        let mut columns = Columns::of(&REPAIR_HEADS, row)?;
        Ok(Self { pair: columns.text()?, seq: columns.integer()?, hash: columns.fixed()? })
    }
}
