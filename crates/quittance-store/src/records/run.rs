//! Runs of comparisons, and what each found open.

use super::codec::{CodecError, Reader, Writer};
use super::row::{Columns, Corrupt, Entity};
use crate::schema::Table;
use crate::tables::{DRIFTS, RUNS};
use crate::value::Row;
use quittance_core::id::RunId;
use quittance_core::pair::digest::{Digest, RecordHash};
use quittance_core::pair::proof::Proof;
use quittance_core::time::Timestamp;

/// A comparison that was completed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// The pair, as it is configured.
    pub pair: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it was complete.
    pub ended_at: Timestamp,
    /// How records were digested.
    pub method: String,
    /// Up to when the left was read, by its own clock.
    pub left_as_of: Option<Timestamp>,
    /// Up to when the right was read.
    pub right_as_of: Option<Timestamp>,
    /// How many rows of [`Drift`] belong to it.
    pub drifts: i64,
    /// SHA-256 over those rows, in their order ([`Drift::digest_into`]).
    pub drifts_digest: [u8; 32],
    /// That everything else was equal.
    pub proof: Proof,
}

impl Entity for Run {
    fn table() -> &'static Table {
        &RUNS
    }

    fn to_row(&self) -> Row {
        vec![
            self.id.bytes().into(),
            self.pair.as_str().into(),
            self.started_at.0.into(),
            self.ended_at.0.into(),
            self.method.as_str().into(),
            self.left_as_of.map(|at| at.0).into(),
            self.right_as_of.map(|at| at.0).into(),
            self.drifts.into(),
            self.drifts_digest.as_slice().into(),
            encode_proof(&self.proof).into(),
        ]
    }

    fn from_row(row: &Row) -> Result<Self, Corrupt> {
        let mut columns = Columns::of(&RUNS, row)?;
        Ok(Self {
            id: RunId::from_bytes(columns.fixed()?),
            pair: columns.text()?,
            started_at: columns.time()?,
            ended_at: columns.time()?,
            method: columns.text()?,
            left_as_of: columns.maybe_time()?,
            right_as_of: columns.maybe_time()?,
            drifts: columns.integer()?,
            drifts_digest: columns.fixed()?,
            proof: columns.body(decode_proof)?,
        })
    }
}

/// One disagreement of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    /// The run.
    pub run: RunId,
    /// Its number in the run, from 0.
    pub seq: i64,
    /// Its kind (`different`).
    pub kind: String,
    /// Its key as people read it.
    pub key: String,
    /// What became of it at the second look (`confirmed`).
    pub standing: String,
    /// When a run of this pair found it first and every run since did, too.
    pub first_seen_at: Timestamp,
    /// Hashes of the left's records, which the proof leaves out.
    pub left_hashes: Vec<RecordHash>,
    /// Hashes of the right's records.
    pub right_hashes: Vec<RecordHash>,
    /// What was told of it, as JSON.
    pub told: String,
    /// SHA-256 over the records of both sides as they are compared, for telling whether they changed from run to run.
    pub content: [u8; 32],
}

impl Drift {
    /// Appends what a digest of it is made over: every column but the run, each behind its length.
    pub fn digest_into(&self, out: &mut Vec<u8>) {
        let mut writer = Writer::version(1);
        writer.integer(self.seq).text(&self.kind).text(&self.key).text(&self.standing).integer(self.first_seen_at.0);
        writer.bytes(&encode_hashes(&self.left_hashes)).bytes(&encode_hashes(&self.right_hashes)).text(&self.told);
        writer.fixed(&self.content);
        out.extend(writer.finish());
    }
}

impl Entity for Drift {
    fn table() -> &'static Table {
        &DRIFTS
    }

    fn to_row(&self) -> Row {
        vec![
            self.run.bytes().into(),
            self.seq.into(),
            self.kind.as_str().into(),
            self.key.as_str().into(),
            self.standing.as_str().into(),
            self.first_seen_at.0.into(),
            encode_hashes(&self.left_hashes).into(),
            encode_hashes(&self.right_hashes).into(),
            self.told.clone().into_bytes().into(),
            self.content.into(),
        ]
    }

    fn from_row(row: &Row) -> Result<Self, Corrupt> {
        let mut columns = Columns::of(&DRIFTS, row)?;
        Ok(Self {
            run: RunId::from_bytes(columns.fixed()?),
            seq: columns.integer()?,
            kind: columns.text()?,
            key: columns.text()?,
            standing: columns.text()?,
            first_seen_at: columns.time()?,
            left_hashes: columns.body(decode_hashes)?,
            right_hashes: columns.body(decode_hashes)?,
            told: str::from_utf8(columns.bytes()?).map_err(|_| columns.wrong("not UTF-8"))?.to_owned(),
            content: columns.fixed()?,
        })
    }
}

/// Writes a proof.
#[must_use]
pub fn encode_proof(proof: &Proof) -> Vec<u8> {
    let mut writer = Writer::version(1);
    for digest in [proof.left, proof.right, proof.equal] {
        writer.integer(digest.count.cast_signed()).fixed(&digest.sum.to_be_bytes());
    }
    writer.integer(proof.left_uncounted.cast_signed()).integer(proof.right_uncounted.cast_signed());
    writer.finish()
}

/// Reads a proof.
///
/// # Errors
///
/// [`CodecError`].
pub fn decode_proof(bytes: &[u8]) -> Result<Proof, CodecError> {
    let mut reader = Reader::open(bytes, 1)?;
    let proof = Proof {
        left: digest(&mut reader)?,
        right: digest(&mut reader)?,
        equal: digest(&mut reader)?,
        left_uncounted: reader.integer()?.cast_unsigned(),
        right_uncounted: reader.integer()?.cast_unsigned(),
    };
    reader.end()?;
    Ok(proof)
}

fn digest(reader: &mut Reader<'_>) -> Result<Digest, CodecError> {
    Ok(Digest { count: reader.integer()?.cast_unsigned(), sum: sum(reader)? })
}

fn sum(reader: &mut Reader<'_>) -> Result<u128, CodecError> {
    Ok(u128::from_be_bytes(reader.fixed()?))
}

fn encode_hashes(hashes: &[RecordHash]) -> Vec<u8> {
    let mut writer = Writer::version(1);
    writer.count(u32::try_from(hashes.len()).expect("claimants of a key are bounded"));
    for hash in hashes {
        writer.fixed(&hash.0.to_be_bytes());
    }
    writer.finish()
}

fn decode_hashes(bytes: &[u8]) -> Result<Vec<RecordHash>, CodecError> {
    let mut reader = Reader::open(bytes, 1)?;
    let hashes = (0..reader.count()?).map(|_| sum(&mut reader).map(RecordHash)).collect::<Result<_, _>>()?;
    reader.end()?;
    Ok(hashes)
}
