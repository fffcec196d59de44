//! The rows: every answer that a request can get, as the fact it is and as what it means by the published list.

use quittance_core::dispute::{DisputeSighting, DisputeStatus};
use quittance_core::effect::Effect;
use quittance_core::fact::{Decline, Fact, Loss, ObjectStatus, Sighting};
use quittance_core::money::Money;

/// What an answer says of our request, in the published list's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// It ran, and the object tells how it ended.
    Executed,
    /// It ran, and was declined for good.
    Declined,
    /// It did not run.
    NotExecuted,
    /// Nothing about an earlier send.
    NoInfo,
    /// It may have run.
    Unknown,
    /// Another send of it is running.
    Wait,
    /// Our own mistake.
    Bug,
}

impl Meaning {
    pub fn from_word(word: &str) -> Self {
        match word {
            "EXECUTED" => Self::Executed,
            "DECLINED" => Self::Declined,
            "NOT_EXECUTED" => Self::NotExecuted,
            "NO_INFO" => Self::NoInfo,
            "UNKNOWN" => Self::Unknown,
            "WAIT" => Self::Wait,
            "BUG" => Self::Bug,
            other => panic!("{other} is no meaning of an answer"),
        }
    }
}

/// What the body of a 2xx shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// The effect's object, in this status.
    Object(ObjectStatus),
    /// One of another amount.
    OtherAmount,
    /// One of another effect.
    OtherEffect,
    /// The dispute, in this status, with our evidence counted or not.
    Dispute { status: DisputeStatus, is_counted: bool },
}

#[derive(Clone, Debug)]
enum Answer {
    Fact(Box<Fact>),
    Shows(Shown),
}

/// One answer.
#[derive(Clone, Debug)]
pub struct Row {
    pub name: String,
    /// Its names in the published list: the answer, and whether it is marked as a replayed one.
    pub published: Vec<(&'static str, Option<bool>)>,
    pub first: Meaning,
    pub replay: Meaning,
    answer: Answer,
}

/// What the objects of a table are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sighted {
    Money,
    Dispute,
}

impl Row {
    /// The fact that a connector makes of it for this effect.
    pub fn fact(&self, effect: &Effect) -> Fact {
        match &self.answer {
            Answer::Fact(fact) => Fact::clone(fact),
            Answer::Shows(Shown::Object(status)) => Fact::Seen(object(effect, status.clone())),
            Answer::Shows(Shown::OtherAmount) => {
                let other = Money { amount: effect.money.amount + 1, ..effect.money };
                Fact::Seen(Sighting { money: other, ..object(effect, ObjectStatus::Succeeded) })
            }
            Answer::Shows(Shown::OtherEffect) => {
                let effect_id = Some(quittance_core::id::EffectId::from_bytes([99; 16]));
                let object_id = "other_1".into();
                Fact::Seen(Sighting { effect_id, object_id, ..object(effect, ObjectStatus::Succeeded) })
            }
            Answer::Shows(Shown::Dispute { status, is_counted }) => {
                Fact::SeenDispute(Box::new(dispute(effect, status.clone(), u32::from(*is_counted))))
            }
        }
    }

    /// What a 2xx shows.
    pub fn shown(&self) -> Option<&Shown> {
        match &self.answer {
            Answer::Shows(shown) => Some(shown),
            Answer::Fact(_) => None,
        }
    }

    /// Whether the request itself was refused, and not only put off.
    pub fn is_refusal(&self) -> bool {
        matches!(&self.answer, Answer::Fact(fact) if matches!(**fact, Fact::Refused { .. }))
    }
}

/// The effect's object in this status; what went through went through by as much as was asked.
fn object(effect: &Effect, status: ObjectStatus) -> Sighting {
    let amount = effect.capture_amount.unwrap_or(effect.money.amount);
    let object_id = effect.object_id.clone().unwrap_or_else(|| "object_1".into());
    Sighting { kind: effect.object_kind(), ..super::cells::sighting(&object_id, status, effect.money, amount) }
}

/// The effect's dispute.
pub fn dispute(effect: &Effect, status: DisputeStatus, submissions: u32) -> DisputeSighting {
    DisputeSighting {
        object_id: effect.object_id.clone().unwrap_or_default(),
        charge: "charge_1".into(),
        payment_object: None,
        status,
        money: effect.money,
        reason: "fraudulent".into(),
        evidence_due_by: None,
        submissions,
        movements: Vec::new(),
    }
}

/// The rows of a table about objects of this kind.
pub fn of(sighted: Sighted) -> impl Iterator<Item = Row> {
    all().filter(move |row| match row.shown() {
        None => true,
        Some(Shown::Dispute { .. }) => sighted == Sighted::Dispute,
        Some(_) => sighted == Sighted::Money,
    })
}

/// Every row.
pub fn all() -> impl Iterator<Item = Row> {
    unsuccessful().into_iter().chain(objects()).chain(disputes())
}

fn row(name: &str, published: &[(&'static str, Option<bool>)], means: [Meaning; 2], fact: Fact) -> Row {
    let [first, replay] = means;
    Row { name: name.into(), published: published.to_vec(), first, replay, answer: Answer::Fact(Box::new(fact)) }
}

fn unsuccessful() -> Vec<Row> {
    use Meaning::{Bug, Declined, NoInfo, NotExecuted, Unknown, Wait};
    let lost = |name: &str, published: &[(&'static str, Option<bool>)], loss| {
        row(name, published, [Unknown, Unknown], Fact::Lost(loss))
    };
    let refused = |code: &str, is_replayed| Fact::Refused { code: code.into(), is_replayed, sighting: None };
    let declined = || {
        let decline = Decline { code: "card_declined".into(), is_retryable: false };
        Fact::Declined { decline, sighting: None }
    };
    let throttled = || Fact::Throttled { retry_after_ms: None };
    let cut = [("timeout or reset after request bytes were written", None)];
    let before = [("connect refused / DNS / TLS failure before any request byte", None)];
    vec![
        row("no byte was sent", &before, [NotExecuted, NoInfo], Fact::NotSent),
        lost("timeout", &cut, Loss::Timeout),
        lost("connection reset", &cut, Loss::Reset),
        row("402 declined", &[("402 card_error", Some(false))], [Declined, Declined], declined()),
        row("402 declined, replayed", &[("402 card_error", Some(true))], [Declined, Declined], declined()),
        row(
            "400",
            &[("400 invalid_request_error", Some(false))],
            [NotExecuted, NoInfo],
            refused("parameter_invalid", false),
        ),
        row(
            "400, replayed",
            &[("400 invalid_request_error", Some(true))],
            [Declined, Declined],
            refused("parameter_invalid", true),
        ),
        row("400 key was used otherwise", &[("400 idempotency_error", Some(false))], [Bug, Bug], Fact::KeyMismatch),
        row("401", &[("401", Some(false))], [NotExecuted, NoInfo], Fact::Unauthorised),
        row("403", &[("403", Some(false))], [NotExecuted, NoInfo], Fact::Unauthorised),
        row("404", &[("404", Some(false))], [NotExecuted, NoInfo], refused("resource_missing", false)),
        row("409 key in use", &[("409 idempotency_key_in_use", Some(false))], [Wait, Wait], Fact::InUse),
        row("409 other", &[("409 other", Some(false))], [Wait, Wait], Fact::InUse),
        lost("424", &[("424", Some(false))], Loss::Unclear),
        row("429 limit", &[("429 rate_limit", Some(false))], [NotExecuted, NoInfo], throttled()),
        row("429 lock timeout", &[("429 lock_timeout", Some(false))], [NotExecuted, NoInfo], throttled()),
        lost("500", &[("500", Some(false))], Loss::ServerError),
        lost("500, replayed", &[("500", Some(true))], Loss::ServerError),
        lost("502, 503, 504", &[("502/503/504", Some(false))], Loss::Unavailable),
        lost("2xx, unreadable", &[("2xx with unparseable body", Some(false))], Loss::Unreadable),
    ]
}

fn shows(name: String, shown: Shown) -> Row {
    let published = vec![("2xx", Some(false)), ("2xx", Some(true))];
    let (first, replay) = (Meaning::Executed, Meaning::Executed);
    Row { name, published, first, replay, answer: Answer::Shows(shown) }
}

fn objects() -> Vec<Row> {
    let statuses = [
        ObjectStatus::RequiresPaymentMethod,
        ObjectStatus::RequiresConfirmation,
        ObjectStatus::RequiresAction,
        ObjectStatus::Processing,
        ObjectStatus::RequiresCapture,
        ObjectStatus::Succeeded,
        ObjectStatus::Canceled,
        ObjectStatus::Failed,
        ObjectStatus::Unrecognised("a_new_word".into()),
    ];
    let mut rows: Vec<Row> =
        statuses.into_iter().map(|status| shows(format!("2xx, {}", status.name()), Shown::Object(status))).collect();
    rows.push(shows("2xx, of another amount".into(), Shown::OtherAmount));
    rows.push(shows("2xx, of another effect".into(), Shown::OtherEffect));
    rows
}

fn disputes() -> Vec<Row> {
    let words = [
        "warning_needs_response",
        "warning_under_review",
        "warning_closed",
        "needs_response",
        "under_review",
        "won",
        "lost",
        "prevented",
        "a_new_word",
    ];
    let of = |word: &&str, is_counted| {
        let counts = if is_counted { "evidence counted" } else { "not counted" };
        let status = DisputeStatus::from_word(word);
        shows(format!("2xx, {word}, {counts}"), Shown::Dispute { status, is_counted })
    };
    words.iter().flat_map(|word| [of(word, true), of(word, false)]).collect()
}
