//! What is written about one disagreement.

use super::order::newer;
use super::{Authority, Change, Decision, FieldPolicy, Merged, Repair, Withheld, merge};
use crate::pair::compare::{Difference, Finding, Kind, differences};
use crate::pair::row::{FieldValue, Record, decode_fields, decode_identity};
use crate::pair::value_map::Meaning;
use crate::pair::{Pair, Side, Which};
use crate::record::key::decode_key;
use crate::record::value::{Comparison, Type, Value};
use crate::time::Timestamp;
use std::collections::BTreeSet;

/// Decides about a disagreement. Policies are in the order of the pair's fields, and so is what both sides last agreed on,
/// where that is known.
///
/// # Panics
///
/// When there are not as many policies as fields.
#[must_use]
pub fn decide(
    pair: &Pair,
    policies: &[FieldPolicy],
    finding: &Finding,
    base: &[Option<Value<'static>>],
    now: Timestamp,
) -> Decision {
    assert_eq!(policies.len(), pair.fields.len(), "every field has a policy");
    let all = |why| Decision { repairs: Vec::new(), withheld: vec![(None, why)] };
    match (finding.kind, finding.left.first(), finding.right.first()) {
        (Kind::Different, Some(left), Some(right)) => {
            let (left, right) = (Record::new(&left.record), Record::new(&right.record));
            Disagreement { pair, policies, left, right, base, now }.decide()
        }
        (Kind::Ambiguous, ..) => all(Withheld::Ambiguous),
        _ => all(Withheld::Missing),
    }
}

/// Two records that say different things.
struct Disagreement<'a> {
    pair: &'a Pair,
    policies: &'a [FieldPolicy],
    left: Record<'a>,
    right: Record<'a>,
    base: &'a [Option<Value<'static>>],
    now: Timestamp,
}

impl Disagreement<'_> {
    fn decide(&self) -> Decision {
        let mut decision = Decision::default();
        let mut changes = [Vec::new(), Vec::new()];
        // What cannot be compared has ended the run before.
        let differences: Vec<_> = differences(self.pair, self.left, self.right).filter_map(Result::ok).collect();
        let mut is_given_whole = true;
        for (field, policy) in self.policies.iter().enumerate() {
            let difference = differences.iter().find(|one| one.field == field);
            let written = match (&policy.given, difference) {
                (Some(given), _) => self.as_given(field, given),
                (None, Some(difference)) => self.written(difference),
                (None, None) => continue,
            };
            match written {
                Ok(written) => written.into_iter().for_each(|(which, change)| changes[which as usize].push(change)),
                Err(why) => {
                    is_given_whole &= policy.given.is_none();
                    decision.withheld.push((Some(field), why));
                }
            }
        }
        if !is_given_whole {
            // A person's word is written whole or not at all.
            return decision;
        }
        let [left, right] = changes;
        for (which, changes) in [(Which::Left, left), (Which::Right, right)] {
            if !changes.is_empty() {
                decision.repairs.push(self.repair(which, changes));
            }
        }
        decision
    }

    /// What is written where: to one side, unless both changed a field that is merged.
    fn written(&self, difference: &Difference<'_>) -> Result<Vec<(Which, Change)>, Withheld> {
        let field = difference.field;
        let change = |which, believed: &Value<'_>| {
            let from = if which == Which::Left { &difference.left } else { &difference.right };
            let to = self.word(which, field, believed)?;
            Ok((which, Change { field, from: from.clone().into_owned(), to }))
        };
        let believing = |which| {
            let (believed, said) = match which {
                Which::Left => (Which::Right, &difference.right),
                Which::Right => (Which::Left, &difference.left),
            };
            let change = change(which, said)?;
            if self.policies[field].bent.contains(&believed) { Err(Withheld::Shape) } else { Ok(vec![change]) }
        };
        let authority = self.policies[field].authority;
        if authority != Authority::Merge {
            return believing(self.unbelieved(authority)?);
        }
        let base = self.base.get(field).and_then(Option::as_ref).ok_or(Withheld::NoBase)?;
        let compared = |record| decode_fields(record).swap_remove(field).compared.ok_or(Withheld::NoWord);
        let (left, right) = (compared(self.left)?, compared(self.right)?);
        if matches!(left, Value::Absent) || matches!(right, Value::Absent) {
            return Err(Withheld::Absent);
        }
        match merge(self.policies[field].merge, base, &left, &right) {
            Merged::Left => believing(Which::Right),
            Merged::Right => believing(Which::Left),
            Merged::Conflict => Err(Withheld::Conflict),
            // What is made of both is made of what nobody believes.
            Merged::Both(_) if !self.policies[field].bent.is_empty() => Err(Withheld::Shape),
            Merged::Both(value) => {
                let sides = [(Which::Left, &left), (Which::Right, &right)].into_iter();
                // Both or neither: half of a sum would be counted again.
                sides.filter(|(_, held)| **held != value).map(|(which, _)| change(which, &value)).collect()
            }
        }
    }

    /// What is written so that both sides say what a person gave.
    fn as_given(&self, field: usize, given: &Value<'_>) -> Result<Vec<(Which, Change)>, Withheld> {
        let held = |record| decode_fields(record).swap_remove(field);
        let sides = [(Which::Left, held(self.left)), (Which::Right, held(self.right))];
        let map = self.pair.fields[field].values.as_ref();
        let types = sides.iter().filter_map(|(_, held)| held.compared.as_ref().unwrap_or(&held.said).value_type());
        let wanted = if map.is_some() { Some(Type::Text) } else { types.reduce(declared) };
        let value = read_given(given, wanted).ok_or(Withheld::OtherType)?;
        let is_other = |held: &FieldValue<'_>| {
            held.compared.as_ref().is_none_or(|compared| compared.compare(&value) != Comparison::Equal)
        };
        let differing = sides.iter().filter(|(_, held)| is_other(held));
        differing
            .map(|(which, held)| {
                let to = match (which, map.filter(|_| !value.is_nothing())) {
                    (Which::Left, Some(map)) => {
                        self.check_writable(Which::Left, field)?;
                        match map.left(&value) {
                            Meaning::Means(word) => word.into_owned(),
                            Meaning::Unknown => return Err(Withheld::NoWord),
                        }
                    }
                    _ => self.word(*which, field, &value)?,
                };
                Ok((*which, Change { field, from: held.said.clone().into_owned(), to }))
            })
            .collect()
    }

    /// The side that is written, where it is known who is believed.
    fn unbelieved(&self, authority: Authority) -> Result<Which, Withheld> {
        match authority {
            Authority::Left => Ok(Which::Right),
            Authority::Right => Ok(Which::Left),
            Authority::Manual => Err(Withheld::Manual),
            Authority::Merge => Err(Withheld::NoBase),
            Authority::Newest => {
                let both = self.left.modified().zip(self.right.modified());
                match both.and_then(|(left, right)| newer(left, right, self.now)) {
                    Some(Which::Left) => Ok(Which::Right),
                    Some(Which::Right) => Ok(Which::Left),
                    None => Err(Withheld::Unordered),
                }
            }
        }
    }

    /// Refuses a field of a side that cannot be written.
    fn check_writable(&self, which: Which, field: usize) -> Result<(), Withheld> {
        let side = self.pair.side(which);
        if side.identity.is_empty() {
            return Err(Withheld::NoIdentity);
        }
        if !is_plain(side, side.fields[field]) || side.identity.iter().any(|at| !is_plain(side, *at)) {
            return Err(Withheld::Transformed);
        }
        Ok(())
    }

    /// What the written side is to say, where the other one says `believed`.
    fn word(&self, which: Which, field: usize, believed: &Value<'_>) -> Result<Value<'static>, Withheld> {
        self.check_writable(which, field)?;
        if matches!(believed, Value::Absent) {
            return Err(Withheld::Absent);
        }
        let Some(map) = self.pair.fields[field].values.as_ref().filter(|_| !believed.is_nothing()) else {
            return Ok(believed.clone().into_owned());
        };
        let word = match which {
            Which::Left => map.meaning_of(&believed.to_string()).ok_or(Withheld::NoWord)?.to_owned(),
            Which::Right => {
                let meaning = believed.to_string();
                match (self.policies[field].write_right.get(&meaning), map.words_for(&meaning).as_slice()) {
                    (Some(named), _) => named.clone(),
                    (None, [only]) => (*only).to_owned(),
                    (None, []) => return Err(Withheld::NoWord),
                    (None, _) => return Err(Withheld::SeveralWords),
                }
            }
        };
        Ok(Value::Text(word.into()))
    }

    fn repair(&self, which: Which, changes: Vec<Change>) -> Repair {
        let (record, other) = if which == Which::Left { (self.left, self.right) } else { (self.right, self.left) };
        let takes_away =
            |change: &Change| takes_away(&self.policies[change.field].takes_away, &change.from, &change.to);
        Repair {
            which,
            identity: decode_identity(record).into_iter().map(Value::into_owned).collect(),
            expected: expected(self.pair.side(which), record),
            takes_away: changes.iter().any(takes_away),
            changes,
            believed: decode_identity(other).into_iter().map(Value::into_owned).collect(),
        }
    }
}

/// Of two types that can be compared the one that says more.
fn declared(one: Type, other: Type) -> Type {
    if one == Type::Untyped { other } else { one }
}

/// What a person gave, as a value of the type that is wanted; as it is where no side says anything. None where it is of another one.
fn read_given(given: &Value<'_>, wanted: Option<Type>) -> Option<Value<'static>> {
    let is_of = |of: Type| matches!(wanted, None | Some(Type::Untyped)) || wanted == Some(of);
    match given {
        Value::Boolean(_) if !is_of(Type::Boolean) => None,
        Value::Number(_) if !is_of(Type::Number) => None,
        _ => wanted.map_or_else(|| Some(given.clone().into_owned()), |wanted| given.read_as(wanted)),
    }
}

/// Whether a change of a value takes something away from a customer, by words in lower case that mean so.
#[must_use]
pub fn takes_away(words: &BTreeSet<String>, from: &Value<'_>, to: &Value<'_>) -> bool {
    (to.is_nothing() || words.contains(&word_of(to))) && word_of(to) != word_of(from)
}

/// Whether a value, as the written side says it, means that the customer has not got it.
fn is_gone(policy: &FieldPolicy, value: &Value<'_>) -> bool {
    value.is_nothing() || policy.takes_away.contains(&word_of(value))
}

/// A value as such words are compared.
fn word_of(value: &Value<'_>) -> String {
    value.to_string().trim().to_lowercase()
}

/// Whether a record of the believed side says that its customer has something, by the fields in which a repair of the
/// side `written` would take something away.
#[must_use]
pub fn is_live(pair: &Pair, policies: &[FieldPolicy], repair: &Repair, record: Record<'_>) -> bool {
    let values = decode_fields(record);
    let taken = repair.changes.iter().filter(|change| is_gone(&policies[change.field], &change.to));
    taken.map(|change| change.field).all(|field| {
        let (value, policy) = (&values[field], &policies[field]);
        let compared = value.compared.as_ref().unwrap_or(&value.said);
        let words =
            pair.fields[field].values.as_ref().filter(|_| repair.which == Which::Right && !compared.is_nothing());
        match words.map(|map| map.words_for(&compared.to_string())) {
            Some(words) => words.iter().any(|word| !policy.takes_away.contains(&word.to_lowercase())),
            None => !is_gone(policy, compared),
        }
    })
}

/// All that is known of what a record holds, column by column: what is compared, by what it was matched, whose it is, when it
/// was changed. What is compared as something else than it holds is not known so, and is left out.
fn expected(side: &Side, record: Record<'_>) -> Vec<(usize, Value<'static>)> {
    let fields = side.fields.iter().copied().zip(decode_fields(record).into_iter().map(|field| field.said));
    let modified = side.modified.zip(record.modified()).map(|(at, when)| (at, Value::Timestamp(when)));
    let mut known: Vec<(usize, Value<'static>)> = Vec::new();
    let rules = side.rules.iter().enumerate().filter_map(|(rule, columns)| Some((columns, record.key(rule)?)));
    let keys = rules.flat_map(|(columns, key)| columns.iter().copied().zip(decode_key(key)));
    for (at, value) in fields.chain(keys).chain(modified) {
        if is_plain(side, at) && !matches!(value, Value::Absent) && !known.iter().any(|(column, _)| *column == at) {
            known.push((at, value.into_owned()));
        }
    }
    known
}

fn is_plain(side: &Side, at: usize) -> bool {
    let column = &side.columns[at];
    column.pointer.is_none() && column.transforms.is_empty()
}
