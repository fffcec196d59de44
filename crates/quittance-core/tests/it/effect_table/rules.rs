//! What must hold of every cell, whatever the machine does: the contract with gateways, rule by rule.
//!
//! Written from what an answer means and what a class offers, never from the machine's code.

use quittance_core::effect::{Class, Move, State, Step};
use quittance_core::fact::ObjectStatus;

use super::cells::Cell;
use super::columns::{Column, Does, Sent};
use super::rows::{Meaning, Row, Shown};

/// The rules that a cell breaks, each in its own words.
pub fn broken_by(column: &Column, row: &Row, cell: &Cell) -> Vec<&'static str> {
    let seen = Seen::of(column, row, cell);
    let rules = ends(&seen).into_iter().chain(meanings(&seen)).chain(classes(&seen)).chain(objects(&seen));
    rules.filter(|(holds, _)| !holds).map(|(_, rule)| rule).collect()
}

/// What the rules speak of.
struct Seen<'a> {
    column: &'a Column,
    row: &'a Row,
    cell: &'a Cell,
    meaning: Meaning,
    state: State,
    next: Option<Move>,
}

type Rule = (bool, &'static str);

/// If the one then the other.
fn implies(one: bool, other: bool) -> bool {
    !one || other
}

impl<'a> Seen<'a> {
    fn of(column: &'a Column, row: &'a Row, cell: &'a Cell) -> Self {
        // A request under a new key is a first one to the gateway.
        let meaning = if column.sent == Sent::Replay { row.replay } else { row.first };
        Self { column, row, cell, meaning, state: cell.after.state, next: cell.next }
    }

    fn is(&self, meaning: Meaning) -> bool {
        self.meaning == meaning
    }

    /// Says nothing definite about what was sent.
    fn is_ambiguous(&self) -> bool {
        matches!(self.meaning, Meaning::Unknown | Meaning::Wait | Meaning::NoInfo)
    }

    fn is_class(&self, class: Class) -> bool {
        self.column.classes.contains(&class)
    }

    /// Whether the step does something to an object that is known, and that can tell what became of it.
    fn is_about_known_object(&self) -> bool {
        matches!(self.column.step, Step::Confirm | Step::Cancel | Step::Capture | Step::Submit)
    }

    fn sends(&self) -> bool {
        matches!(self.next, Some(Move::Send(_) | Move::SendAfresh(_)))
    }

    fn looks(&self) -> bool {
        matches!(self.next, Some(Move::Read | Move::Find))
    }
}

/// What may end an effect.
fn ends(seen: &Seen<'_>) -> [Rule; 7] {
    let is_end = matches!(seen.state, State::Succeeded | State::Failed | State::Canceled);
    let is_refused = seen.is(Meaning::NotExecuted) && seen.row.is_refusal();
    let is_definitive = seen.is(Meaning::Executed) || seen.is(Meaning::Declined) || is_refused;
    let is_dead = match seen.row.shown() {
        Some(Shown::Object(ObjectStatus::Canceled)) => true,
        Some(Shown::Object(ObjectStatus::Failed)) => seen.column.step == Step::Cancel,
        _ => false,
    };
    [
        (implies(is_end, is_definitive), "only a definitive answer ends an effect"),
        (implies(seen.is_ambiguous(), seen.state == State::Unknown), "an ambiguous answer leaves it unknown"),
        (implies(seen.state == State::Succeeded, seen.is(Meaning::Executed)), "success is seen, never inferred"),
        (
            implies(seen.state == State::Canceled, is_dead),
            "given up is what the object proves, never what was asked for",
        ),
        (seen.state != State::NotExecuted, "no answer proves absence; only searches do"),
        (
            implies(seen.state == State::Failed && seen.column.sent == Sent::Again, seen.is(Meaning::Executed)),
            "nothing fails on an error's word while an earlier send is unaccounted for",
        ),
        (implies(is_end, seen.next.is_none()), "what has ended is left alone"),
    ]
}

/// What an answer means.
fn meanings(seen: &Seen<'_>) -> [Rule; 8] {
    let step = seen.column.step;
    let is_put_off = seen.is(Meaning::NotExecuted) && !seen.row.is_refusal();
    let is_refused = seen.is(Meaning::NotExecuted) && seen.row.is_refusal();
    let goes_again = seen.state == State::Intended && seen.next == Some(Move::Send(step));
    let is_same_key = seen.cell.after.generation == seen.cell.before.generation;
    let makes_object = matches!(step, Step::Create | Step::Execute);
    [
        (implies(seen.is(Meaning::Bug), seen.state == State::Review), "a key used otherwise is for a person"),
        (
            implies(seen.state == State::Review && seen.row.shown().is_none(), seen.is(Meaning::Bug)),
            "no error but a key used otherwise is for a person at once",
        ),
        (implies(is_put_off, goes_again && is_same_key), "what was put off is sent again, under its key"),
        (implies(is_put_off, !seen.cell.after.is_unresolved), "what was put off is not unaccounted for"),
        (
            implies(seen.is(Meaning::Declined) && makes_object, seen.state == State::Failed),
            "a decline of what was sent alone, or stored, is final",
        ),
        (
            implies(is_refused && makes_object, seen.state == State::Failed),
            "a first request that is refused has failed",
        ),
        (
            implies(is_refused && matches!(step, Step::Cancel | Step::Capture), seen.state == State::Unknown),
            "a refusal may mean that it was done before: the object knows",
        ),
        (
            implies(seen.state == State::Unknown, seen.next.is_some_and(|next| next != Move::Rest)),
            "what is unknown is being found out",
        ),
    ]
}

/// What a class allows.
fn classes(seen: &Seen<'_>) -> [Rule; 10] {
    let may_have_left = seen.is_ambiguous();
    let is_one_request = seen.column.step == Step::Execute;
    let is_unlisted = !seen.is_about_known_object() && (seen.is_class(Class::C) || seen.is_class(Class::D));
    let is_known = seen.cell.after.object_id.is_some();
    let is_pending = seen.state == State::Pending;
    let stored_error = matches!(seen.row.name.as_str(), "500" | "500, replayed");
    let fences = seen.state == State::Intended && seen.next == Some(Move::Send(Step::Cancel));
    let is_confirm_again = seen.column.step == Step::Confirm && seen.column.sent == Sent::Again;
    [
        (implies(seen.is_class(Class::D) && may_have_left, !seen.sends()), "D never sends what may have left"),
        (
            implies(seen.is_class(Class::B) && is_one_request && may_have_left, !seen.sends() && seen.looks()),
            "B never sends again before absence is proven: it looks",
        ),
        (implies(is_unlisted, seen.next != Some(Move::Find)), "C and D have no list to search"),
        (
            implies(
                is_unlisted && seen.state == State::Unknown && !seen.sends() && !is_known,
                seen.next == Some(Move::AskPerson),
            ),
            "where nothing can tell, a person is asked",
        ),
        (
            implies(!is_unlisted || is_known, seen.next != Some(Move::AskPerson)),
            "where something can be read, nobody is asked",
        ),
        (
            implies(
                seen.sends() && seen.state == State::Unknown,
                seen.cell.after.generation == seen.cell.before.generation,
            ),
            "what may have left is sent again under its key only",
        ),
        (implies(stored_error, !(seen.sends() && seen.state == State::Unknown)), "a stored error is not replayed"),
        (
            implies(seen.is_about_known_object() && (is_pending || may_have_left), seen.looks()),
            "a known object is read",
        ),
        (implies(is_pending, is_known && seen.next == Some(Move::Read)), "what is pending is read, at any gateway"),
        (
            implies(is_confirm_again && seen.is(Meaning::Declined) && !seen.row.is_refusal(), fences),
            "a decline after a lost confirm is fenced before it is believed",
        ),
    ]
}

/// What an object that is shown decides.
fn objects(seen: &Seen<'_>) -> [Rule; 7] {
    use ObjectStatus::{Canceled, Failed, Processing, RequiresAction, RequiresCapture, Succeeded};
    let status = match seen.row.shown() {
        Some(Shown::Object(status)) => Some(status),
        _ => None,
    };
    // The answer to a replay of a request that did it all may be from long ago.
    let is_stored = seen.column.step == Step::Execute && seen.column.sent == Sent::Replay;
    let reads = seen.next == Some(Move::Read);
    let is_unknown_word = matches!(status, Some(ObjectStatus::Unrecognised(_)));
    let is_create = seen.column.step == Step::Create;
    let moves_money = !is_create && seen.column.does != Does::Defends;
    let waits = matches!(status, Some(Processing | RequiresAction | RequiresCapture));
    let is_end = matches!(seen.state, State::Succeeded | State::Failed | State::Canceled);
    let is_others = matches!(seen.row.shown(), Some(Shown::OtherAmount | Shown::OtherEffect));
    let counted = match seen.row.shown() {
        Some(Shown::Dispute { is_counted, .. }) => Some(*is_counted),
        _ => None,
    };
    [
        (
            implies(moves_money && status == Some(&Succeeded), seen.state == State::Succeeded || is_stored && reads),
            "an object that succeeded is a success, whatever was asked, unless it is read before an old answer is believed",
        ),
        (implies(status == Some(&Succeeded) && is_create, seen.state == State::Intended), "a create moves nothing"),
        (implies(is_unknown_word || is_others, !is_end), "what is not understood, or not ours, ends nothing"),
        (
            implies(matches!(status, Some(Canceled | Failed)), seen.state != State::Succeeded),
            "what was canceled or failed is no success",
        ),
        (implies(waits && !is_create, !is_end), "what the gateway still works on has not ended"),
        (implies(counted == Some(true), seen.state == State::Succeeded), "evidence that is counted was handed in"),
        (implies(counted == Some(false), !is_end), "evidence that is not counted is looked for again"),
    ]
}
