//! One look at both sides: records meet rule after rule, and what does not agree is found.

use super::agreed::{Agreement, Noting, Places};
use super::collect::{Collected, Source};
use super::error::{DiffError, Halt};
use super::key_types;
use super::plan::remedy;
use crate::systems::Reading;
use quittance_core::pair::compare::{Comparer, Finding, Incomparable, Tally};
use quittance_core::pair::detect::shape::Counted;
use quittance_core::pair::digest::Hasher;
use quittance_core::pair::join::{Meeting, Sorted, join};
use quittance_core::pair::row::Stray;
use quittance_core::pair::settle::Place;
use quittance_core::pair::{Pair, Which};
use std::collections::BTreeSet;
use std::thread;

/// What one look came to.
pub(super) struct Look {
    pub(super) findings: Vec<Finding>,
    pub(super) tally: Tally,
    pub(super) left: Reading,
    pub(super) right: Reading,
    /// What was seen in each field, of what was read.
    pub(super) counted: Counted,
    /// What both sides agree on, where that was asked for.
    pub(super) agreement: Option<Agreement>,
}

/// Reads all of both sides, at the same time, and compares.
pub(super) fn look(
    pair: &Pair,
    left: &mut Source<'_>,
    right: &mut Source<'_>,
    hasher: &Hasher,
    (limits, merged): (Limits<'_>, Vec<usize>),
) -> Result<Look, DiffError> {
    let noting = (!merged.is_empty()).then(|| {
        let places = Places::new(pair, [(left.name, left.object), (right.name, right.object)]);
        Noting::new(merged, places)
    });
    let noting = noting.transpose().map_err(DiffError::Spool)?;
    let (left, right) = thread::scope(|scope| {
        let other = scope.spawn(|| right.collect(pair));
        let one = left.collect(pair);
        let other = other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (one, other)
    });
    let (left, right) = (left?, right?);
    key_types::check(pair, &left.key_types, &right.key_types)?;
    compare(pair, left, right, hasher, (limits, noting))
}

/// Compares what was read.
pub(super) fn compare(
    pair: &Pair,
    mut left: Collected,
    mut right: Collected,
    hasher: &Hasher,
    (limits, noting): (Limits<'_>, Option<Noting>),
) -> Result<Look, DiffError> {
    refuse_strays(pair, left.strays.iter().chain(&right.strays))?;
    let (left_reading, right_reading) = (left.reading, right.reading);
    let counted = Counted { left: std::mem::take(&mut left.seen), right: std::mem::take(&mut right.seen) };
    let comparer = Comparer::new(pair, hasher.clone());
    let mut judge = Judge { pair, comparer, findings: Vec::new(), bytes: 0, limits, noting };
    let judged = judge.all(left, right);
    judged.map_err(|halt| error(pair, halt, &judge.findings))?;
    let agreement = judge.noting.map(|noting| noting.end(pair)).transpose().map_err(DiffError::Spool)?;
    let (findings, tally) = (judge.findings, judge.comparer.tally().clone());
    Ok(Look { findings, tally, left: left_reading, right: right_reading, counted, agreement })
}

/// Most bytes of records that disagree, however few they are.
const FINDINGS_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Which findings are kept.
#[derive(Clone, Copy)]
pub(super) enum Limits<'l> {
    /// All, and no more than so many.
    Most(u64),
    /// Those at the places of a first look, which were within its limits.
    At(&'l BTreeSet<Place>),
}

struct Judge<'p> {
    pair: &'p Pair,
    comparer: Comparer<'p>,
    findings: Vec<Finding>,
    bytes: usize,
    limits: Limits<'p>,
    noting: Option<Noting>,
}

impl Judge<'_> {
    fn all(&mut self, left: Collected, right: Collected) -> Result<(), Halt> {
        let mut right_spools = right.spools;
        let mut right_keyless = right.keyless;
        for (rule, spool) in left.spools.into_iter().enumerate() {
            // What the right has and no record of the left claims is tried by the rules after this one.
            let (this, later) = right_spools.split_at_mut(rule + 1);
            let this = std::mem::replace(&mut this[rule], super::spool::Spool::new(rule));
            let (mut left, mut right) = (spool.sorted()?, this.sorted()?);
            join(rule, left.reader()?, right.reader()?, |meeting| {
                if let Meeting::Right(record) = meeting {
                    for spool in &mut *later {
                        if spool.push(record)? {
                            return Ok(());
                        }
                    }
                }
                let found = self.comparer.meet(rule, meeting)?;
                if let (Some(noting), Meeting::Both(left, right)) = (&mut self.noting, meeting) {
                    noting.note(self.pair, rule, left, right)?;
                }
                self.keep(found)
            })?;
        }
        for (which, spool) in [
            (Which::Left, left.keyless),
            (Which::Right, std::mem::replace(&mut right_keyless, super::spool::Spool::keyless())),
        ] {
            let mut pile = spool.sorted()?;
            let mut reader = pile.reader()?;
            while reader.advance()? {
                let found = self.comparer.alone(which, None, reader.record());
                self.keep(Some(found))?;
            }
        }
        Ok(())
    }

    fn keep(&mut self, found: Option<Finding>) -> Result<(), Halt> {
        let Some(found) = found else { return Ok(()) };
        let findings_max = match self.limits {
            Limits::At(places) if !places.contains(&Place::of(&found)) => return Ok(()),
            Limits::At(_) => u64::MAX,
            Limits::Most(findings_max) => findings_max,
        };
        self.bytes += found.left.iter().chain(&found.right).map(|seen| seen.record.len()).sum::<usize>();
        self.findings.push(found);
        let is_too_much = self.findings.len() as u64 > findings_max || self.bytes > FINDINGS_BYTES_MAX;
        if is_too_much { Err(Halt::TooMany) } else { Ok(()) }
    }
}

fn error(pair: &Pair, halt: Halt, findings: &[Finding]) -> DiffError {
    let of_pair = |what, remedy| DiffError::Pair { pair: pair.name.clone(), what, remedy };
    match halt {
        Halt::Spool(error) => DiffError::Spool(error),
        Halt::Incomparable(incomparable) => {
            let Incomparable { left_type, right_type, .. } = incomparable;
            of_pair(incomparable.to_string(), remedy(left_type, right_type))
        }
        Halt::TooMany => {
            let mut kinds = std::collections::BTreeMap::<_, u64>::new();
            findings.iter().for_each(|finding| *kinds.entry(finding.kind.as_str()).or_default() += 1);
            let kinds: Vec<_> = kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
            let what = format!(
                "more records disagree than differences_max allows, or larger ones; so far {}",
                kinds.join(", ")
            );
            let remedy = "check `match` and `fields`: hardly any record agrees; or raise differences_max";
            of_pair(what, remedy.to_owned())
        }
    }
}

/// Values that a map should know: nothing is compared until it does.
fn refuse_strays<'s>(pair: &Pair, strays: impl Iterator<Item = &'s Stray>) -> Result<(), DiffError> {
    let told: Vec<String> = strays
        .map(|stray| {
            let field = &pair.fields[stray.field].name;
            let Stray { which, value, records, identity, .. } = stray;
            let which = which.as_str();
            format!("`{value}` of the {which} `{field}` ({records} records, the first is {identity})")
        })
        .collect();
    if told.is_empty() {
        return Ok(());
    }
    Err(DiffError::Pair {
        pair: pair.name.clone(),
        what: format!("values that the map does not know: {}", told.join("; ")),
        remedy: "add them to `values`, or set unmapped = \"different\" or \"as_is\"".to_owned(),
    })
}
