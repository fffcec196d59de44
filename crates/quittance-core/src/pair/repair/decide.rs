//! What is written about one disagreement.

use super::{Authority, Change, Decision, FieldPolicy, Repair, Withheld};
use crate::pair::compare::{Finding, Kind, differences};
use crate::pair::row::{Record, decode_fields, decode_identity};
use crate::pair::{Pair, Side, Which};
use crate::record::key::decode_key;
use crate::record::value::Value;

/// Decides about a disagreement. Policies are in the order of the pair's fields.
///
/// # Panics
///
/// When there are not as many policies as fields.
#[must_use]
pub fn decide(pair: &Pair, policies: &[FieldPolicy], finding: &Finding) -> Decision {
    assert_eq!(policies.len(), pair.fields.len(), "every field has a policy");
    let all = |why| Decision { repairs: Vec::new(), withheld: vec![(None, why)] };
    match (finding.kind, finding.left.first(), finding.right.first()) {
        (Kind::Different, Some(left), Some(right)) => {
            let (left, right) = (Record::new(&left.record), Record::new(&right.record));
            Disagreement { pair, policies, left, right }.decide()
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
}

impl Disagreement<'_> {
    fn decide(&self) -> Decision {
        let mut decision = Decision::default();
        let mut changes = [Vec::new(), Vec::new()];
        // What cannot be compared has ended the run before.
        for difference in differences(self.pair, self.left, self.right).filter_map(Result::ok) {
            let field = difference.field;
            let policy = &self.policies[field];
            let written = self.written(policy.authority).and_then(|which| {
                let (from, believed) = match which {
                    Which::Left => (difference.left, difference.right),
                    Which::Right => (difference.right, difference.left),
                };
                let to = self.word(which, field, believed)?;
                Ok((which, Change { field, from: from.into_owned(), to }))
            });
            match written {
                Ok((which, change)) => changes[which as usize].push(change),
                Err(why) => decision.withheld.push((Some(field), why)),
            }
        }
        let [left, right] = changes;
        for (which, changes) in [(Which::Left, left), (Which::Right, right)] {
            if !changes.is_empty() {
                decision.repairs.push(self.repair(which, changes));
            }
        }
        decision
    }

    /// The side that is written, where it is known who is believed.
    fn written(&self, authority: Authority) -> Result<Which, Withheld> {
        match authority {
            Authority::Left => Ok(Which::Right),
            Authority::Right => Ok(Which::Left),
            Authority::Manual => Err(Withheld::Manual),
            // No comparison keeps what was equal, so nothing is known of when it was.
            Authority::Merge => Err(Withheld::NoBase),
            Authority::Newest => match (self.left.modified(), self.right.modified()) {
                (Some(left), Some(right)) if left > right => Ok(Which::Right),
                (Some(left), Some(right)) if left < right => Ok(Which::Left),
                _ => Err(Withheld::Unordered),
            },
        }
    }

    /// What the written side is to say, where the other one says `believed`.
    fn word(&self, which: Which, field: usize, believed: Value<'_>) -> Result<Value<'static>, Withheld> {
        let side = self.pair.side(which);
        if side.identity.is_empty() {
            return Err(Withheld::NoIdentity);
        }
        if !is_plain(side, side.fields[field]) || side.identity.iter().any(|at| !is_plain(side, *at)) {
            return Err(Withheld::Transformed);
        }
        if matches!(believed, Value::Absent) {
            return Err(Withheld::Absent);
        }
        let Some(map) = self.pair.fields[field].values.as_ref().filter(|_| !believed.is_nothing()) else {
            return Ok(believed.into_owned());
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
        let takes_away = |change: &Change| {
            let is_the_same = word_of(&change.to) == word_of(&change.from);
            is_gone(&self.policies[change.field], &change.to) && !is_the_same
        };
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
