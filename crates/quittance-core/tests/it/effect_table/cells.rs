//! A cell: where an effect stands after an answer, and what a worker does next.

use quittance_core::effect::{Effect, Move, State, Stimulus, advance, expire, next_move};
use quittance_core::fact::{ObjectKind, ObjectStatus, Sighting};
use quittance_core::money::Money;
use quittance_core::time::Timestamp;

use super::columns::Column;
use super::rows::Row;

pub struct Cell {
    /// The effect before the answer, and after it.
    pub before: Effect,
    pub after: Effect,
    /// What a worker does when it is due; nothing where it never is by itself.
    pub next: Option<Move>,
}

impl Cell {
    pub fn of(column: &Column, row: &Row) -> Self {
        let class = column.classes[0];
        let policy = Column::policy(class);
        let before = column.sending(class);
        let mut after = before.clone();
        advance(&mut after, Stimulus::Answered(row.fact(&before)), &policy, Timestamp(2_000), 0);
        // As a worker does: what is over by then is given up first.
        let next = after.due_at.map(|due_at| {
            let mut due = after.clone();
            expire(&mut due, &policy, due_at);
            next_move(&due, &policy, due_at)
        });
        Self { before, after, next }
    }

    pub fn text(&self) -> String {
        let state = self.after.state.name();
        match self.next {
            None => state.to_owned(),
            Some(next) => format!("{state} → {}", self.doing(next)),
        }
    }

    fn doing(&self, next: Move) -> String {
        match next {
            Move::Send(_) if self.after.state == State::Unknown => "replay".into(),
            Move::Send(step) if step != self.before.step => format!("send the {}", step.name()),
            Move::Send(_) if self.after.generation != self.before.generation => "send under a new key".into(),
            Move::Send(_) => "send again".into(),
            Move::SendAfresh(_) => "send afresh".into(),
            Move::Read => "read".into(),
            Move::Find => "find".into(),
            Move::AskPerson => "ask a person".into(),
            Move::Recover | Move::Rest => panic!("nobody waits for a worker to {next:?}: {:?}", self.after),
        }
    }
}

/// An object as a gateway shows it.
pub fn sighting(object_id: &str, status: ObjectStatus, money: Money, amount: i64) -> Sighting {
    Sighting {
        kind: ObjectKind::Payment,
        object_id: object_id.into(),
        parent: None,
        received_amount: if status == ObjectStatus::Succeeded { amount } else { 0 },
        status,
        money,
        latest_charge: None,
        error_digest: None,
        decline: None,
        payment_method: Some("method_1".into()),
        book: None,
        effect_id: None,
        reference: None,
        payment_reference: None,
        next_action: None,
        returned: None,
    }
}
