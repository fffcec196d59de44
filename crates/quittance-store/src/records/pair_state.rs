//! Pairs as whoever compares them by schedule finds them: a lease, a pause, the next run, the last one, and what detectors
//! remember.

use super::codec::{CodecError, Reader, Writer};
use super::row::{Columns, Corrupt, Entity};
use crate::schema::Table;
use crate::tables::PAIR_STATES;
use crate::value::Row;
use quittance_core::pair::detect::shape::{Seen, Shapes};
use quittance_core::pair::detect::silence::{Before, Silence};
use quittance_core::time::Timestamp;

/// How a pair stands.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct PairState {
    /// The pair, as it is configured.
    pub pair: String,
    /// Who works on it.
    pub lease_owner: Option<String>,
    /// Raised each time the lease is taken: whoever has an older one is fenced.
    pub lease_epoch: i64,
    /// When the lease ends, unless it is renewed.
    pub lease_until: Option<Timestamp>,
    /// That nothing is to be done on it.
    pub pause: Option<PairPause>,
    /// When the next run is due.
    pub due_at: Option<Timestamp>,
    /// When the last run began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// What came of it, as a stable word.
    pub outcome: Option<String>,
    /// What is to be said of that.
    pub detail: Option<String>,
    /// When the last run ended that compared the pair to its end.
    pub good_at: Option<Timestamp>,
    /// Runs in a row that could not.
    pub failures: u32,
    /// When the first of those ended.
    pub failing_since: Option<Timestamp>,
    /// What detectors remember.
    pub memory: PairMemory,
}

/// That somebody paused a pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairPause {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: Option<String>,
}

/// What detectors remember of earlier runs.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct PairMemory {
    /// The silence that goes on.
    pub silence: Option<Silence>,
    /// The run that was judged last: what others found since then was judged by nobody.
    pub judged: Option<Before>,
    /// What its fields usually look like, and which of them do not.
    pub shapes: Shapes,
}

impl Entity for PairState {
    fn table() -> &'static Table {
        &PAIR_STATES
    }

    fn to_row(&self) -> Row {
        let (pause, time) = (self.pause.as_ref(), |at: Option<Timestamp>| at.map(|at| at.0).into());
        vec![
            self.pair.as_str().into(),
            self.lease_owner.as_deref().into(),
            self.lease_epoch.into(),
            time(self.lease_until),
            time(pause.map(|pause| pause.at)),
            pause.map(|pause| pause.by.as_str()).into(),
            pause.and_then(|pause| pause.reason.as_deref()).into(),
            time(self.due_at),
            time(self.started_at),
            time(self.ended_at),
            self.outcome.as_deref().into(),
            self.detail.as_deref().into(),
            time(self.good_at),
            i64::from(self.failures).into(),
            time(self.failing_since),
            encode_memory(&self.memory).into(),
        ]
    }

    fn from_row(row: &Row) -> Result<Self, Corrupt> {
        let mut columns = Columns::of(&PAIR_STATES, row)?;
        let (pair, lease_owner) = (columns.text()?, columns.maybe_text()?);
        let (lease_epoch, lease_until) = (columns.integer()?, columns.maybe_time()?);
        let (at, by, reason) = (columns.maybe_time()?, columns.maybe_text()?, columns.maybe_text()?);
        let (due_at, started_at, ended_at) = (columns.maybe_time()?, columns.maybe_time()?, columns.maybe_time()?);
        Ok(Self {
            pair,
            lease_owner,
            lease_epoch,
            lease_until,
            pause: at.map(|at| PairPause { at, by: by.unwrap_or_default(), reason }),
            due_at,
            started_at,
            ended_at,
            outcome: columns.maybe_text()?,
            detail: columns.maybe_text()?,
            good_at: columns.maybe_time()?,
            failures: columns.count()?,
            failing_since: columns.maybe_time()?,
            memory: match columns.maybe_bytes()? {
                Some(bytes) => decode_memory(&bytes).map_err(|error| columns.wrong(&error.to_string()))?,
                None => PairMemory::default(),
            },
        })
    }
}

/// The form of what detectors remember. The one before it did not know which fields are bent.
const MEMORY_VERSION: u8 = 3;
const MEMORY_VERSION_BEFORE: u8 = 2;

fn encode_memory(memory: &PairMemory) -> Vec<u8> {
    let mut writer = Writer::version(MEMORY_VERSION);
    writer.option(memory.silence, |writer, silence| {
        writer.integer(silence.count.cast_signed()).integer(silence.since.0).integer(silence.after.0);
    });
    writer.option(memory.judged, |writer, before| {
        writer.integer(before.started_at.0).integer(before.as_of.0);
    });
    let fields = |many: usize| u32::try_from(many).expect("fields of a pair are bounded");
    writer.count(fields(memory.shapes.usual.len()));
    for (field, runs) in &memory.shapes.usual {
        writer.text(field).count(u32::try_from(runs.len()).expect("runs that are remembered are bounded"));
        for seen in runs {
            for number in [seen.records, seen.nothing, seen.unknown] {
                writer.integer(number.cast_signed());
            }
        }
    }
    writer.count(fields(memory.shapes.bent.len()));
    for (field, since) in &memory.shapes.bent {
        writer.text(field).integer(since.0);
    }
    writer.finish()
}

fn decode_memory(bytes: &[u8]) -> Result<PairMemory, CodecError> {
    let is_before = bytes.first() == Some(&MEMORY_VERSION_BEFORE);
    let mut reader = Reader::open(bytes, if is_before { MEMORY_VERSION_BEFORE } else { MEMORY_VERSION })?;
    let number = |reader: &mut Reader<'_>| reader.integer().map(i64::cast_unsigned);
    let mut memory = PairMemory::default();
    if reader.flag()? {
        let (count, since) = (number(&mut reader)?, Timestamp(reader.integer()?));
        memory.silence = Some(Silence { count, since, after: Timestamp(reader.integer()?) });
    }
    if reader.flag()? {
        let started_at = Timestamp(reader.integer()?);
        memory.judged = Some(Before { started_at, as_of: Timestamp(reader.integer()?) });
    }
    for _ in 0..reader.count()? {
        let field = reader.text()?;
        let mut runs = Vec::new();
        for _ in 0..reader.count()? {
            let (records, nothing) = (number(&mut reader)?, number(&mut reader)?);
            runs.push(Seen { records, nothing, unknown: number(&mut reader)? });
        }
        memory.shapes.usual.insert(field, runs);
    }
    let bent = if is_before { 0 } else { reader.count()? };
    for _ in 0..bent {
        let field = reader.text()?;
        memory.shapes.bent.insert(field, Timestamp(reader.integer()?));
    }
    reader.end()?;
    Ok(memory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_a_pair_is_read_as_it_was() {
        let bare = PairState { pair: "a".into(), ..PairState::default() };
        assert_eq!(PairState::from_row(&bare.to_row()), Ok(bare));
        let seen = Seen { records: 100, nothing: 3, unknown: 1 };
        let full = PairState {
            pair: "subscriptions".into(),
            lease_owner: Some("host 12".into()),
            lease_epoch: 7,
            lease_until: Some(Timestamp(9)),
            pause: Some(PairPause { at: Timestamp(8), by: "operator".into(), reason: Some("a migration".into()) }),
            due_at: Some(Timestamp(1)),
            started_at: Some(Timestamp(2)),
            ended_at: Some(Timestamp(3)),
            outcome: Some("equal".into()),
            detail: Some("x".into()),
            good_at: Some(Timestamp(4)),
            failures: 2,
            failing_since: Some(Timestamp(5)),
            memory: PairMemory {
                silence: Some(Silence { count: 41, since: Timestamp(6), after: Timestamp(5) }),
                judged: Some(Before { started_at: Timestamp(7), as_of: Timestamp(6) }),
                shapes: Shapes {
                    usual: [("left status".to_owned(), vec![seen, Seen::default()])].into(),
                    bent: [("left status".to_owned(), Timestamp(8))].into(),
                },
            },
        };
        assert_eq!(PairState::from_row(&full.to_row()), Ok(full.clone()));
        // The form before ended without what is bent.
        let mut memory = full.memory;
        let mut before = encode_memory(&memory);
        before.truncate(before.len() - (4 + 4 + "left status".len() + 8));
        before[0] = MEMORY_VERSION_BEFORE;
        memory.shapes.bent.clear();
        assert_eq!(decode_memory(&before), Ok(memory));
    }
}
