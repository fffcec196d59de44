//! Whether a history of one book is strictly serializable: as if each operation had happened at one moment between its
//! beginning and its end. A book is a list, operations add to it or read all of it. Pure; does not own how a history comes
//! about.
//!
//! The last read is made when nothing is under way any more. It gives the order of all additions, and so every operation a
//! place: the n-th addition stands at 2n - 1, a read of n elements behind it and before the next, at 2n. Some order of all
//! operations explains the history exactly if no operation ended before another began that stands before it: an order
//! by place, and by beginning where places are the same, is one, and where an operation does stand wrongly, the list itself
//! and the clock contradict each other. So the check is complete, and it accuses nobody wrongly. An operation whose answer
//! was lost has no end, so that nothing follows from when it was done; where it is not in the last read, it never was.

use std::collections::{BTreeMap, BTreeSet};

/// Something was to be added. A value is added once in a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Append {
    pub(crate) value: String,
    /// When it was first asked for.
    pub(crate) began: u64,
    /// When it was acknowledged; nothing where nobody knows.
    pub(crate) ended: Option<u64>,
}

/// The whole list was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) values: Vec<String>,
    pub(crate) began: u64,
    pub(crate) ended: u64,
}

/// Why there is no order that explains a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Anomaly {
    /// It stands twice in one list.
    Duplicate { value: String },
    /// It was acknowledged, and is not there in the end.
    Lost { value: String },
    /// It is there, and nobody added it.
    Phantom { value: String },
    /// A read saw a list that is not the beginning of the last one: something was undone, or put before what was seen.
    Fork { seen: Vec<String> },
    /// The first ended before the second began, and the list says the opposite.
    RealTime { first: String, second: String },
}

/// Looks for the first anomaly.
pub(crate) fn check(appends: &[Append], reads: &[Read], last: &[String]) -> Result<(), Anomaly> {
    look_for_duplicates(last)?;
    let added: BTreeSet<&str> = appends.iter().map(|append| append.value.as_str()).collect();
    if let Some(value) = last.iter().find(|value| !added.contains(value.as_str())) {
        return Err(Anomaly::Phantom { value: value.clone() });
    }
    let places: BTreeMap<&str, usize> =
        last.iter().enumerate().map(|(at, value)| (value.as_str(), 2 * at + 1)).collect();
    let mut operations = Vec::new();
    for append in appends {
        match (places.get(append.value.as_str()), append.ended) {
            (Some(place), ended) => operations.push(Placed::new(*place, append.began, ended, &append.value)),
            (None, Some(_)) => return Err(Anomaly::Lost { value: append.value.clone() }),
            (None, None) => {}
        }
    }
    for read in reads {
        look_for_duplicates(&read.values)?;
        if !last.starts_with(&read.values) {
            return Err(Anomaly::Fork { seen: read.values.clone() });
        }
        let name = format!("a read of {}", read.values.len());
        operations.push(Placed::new(2 * read.values.len(), read.began, Some(read.ended), &name));
    }
    look_at_the_clock(operations)
}

fn look_for_duplicates(values: &[String]) -> Result<(), Anomaly> {
    let mut seen = BTreeSet::new();
    match values.iter().find(|value| !seen.insert(value.as_str())) {
        Some(value) => Err(Anomaly::Duplicate { value: value.clone() }),
        None => Ok(()),
    }
}

/// An operation with its place in the list.
struct Placed {
    place: usize,
    began: u64,
    ended: Option<u64>,
    name: String,
}

impl Placed {
    fn new(place: usize, began: u64, ended: Option<u64>, name: &str) -> Self {
        Self { place, began, ended, name: name.to_owned() }
    }
}

/// Goes through all operations as they began. The furthest place of those that had ended must not be behind it.
fn look_at_the_clock(mut operations: Vec<Placed>) -> Result<(), Anomaly> {
    operations.sort_by_key(|operation| operation.began);
    let mut ends: Vec<(u64, usize)> =
        operations.iter().enumerate().filter_map(|(at, operation)| Some((operation.ended?, at))).collect();
    ends.sort_unstable();
    let (mut ended, mut furthest) = (ends.into_iter().peekable(), None::<usize>);
    for operation in &operations {
        while let Some((_, at)) = ended.next_if(|(end, _)| *end < operation.began) {
            if furthest.is_none_or(|other| operations[other].place < operations[at].place) {
                furthest = Some(at);
            }
        }
        if let Some(first) = furthest.map(|at| &operations[at]).filter(|first| first.place > operation.place) {
            return Err(Anomaly::RealTime { first: first.name.clone(), second: operation.name.clone() });
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "checker_tests.rs"]
mod tests;
