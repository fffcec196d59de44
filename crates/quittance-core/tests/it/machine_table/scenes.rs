//! Effects that wait for such objects or have succeeded with one.

use quittance_core::dispute::{DisputeSighting, DisputeStatus};
use quittance_core::effect::{
    Advance, Class, Effect, Identity, Policy, Source, State, Step, Stimulus, Subject, advance, next_move, ticket,
};
use quittance_core::fact::{Fact, Loss, ObjectKind, ObjectStatus, Sighting};
use quittance_core::id::DisputeId;
use quittance_core::payment::CaptureMethod;
use quittance_core::time::Timestamp;

use super::words::{Machine, Word};
use crate::effect_model::books::{self, Books};

/// When things are seen.
const NOW: Timestamp = Timestamp(9);

impl Machine {
    /// The name of the status that an object in this state is read as.
    pub fn read_as(&self, word: &Word) -> String {
        let (status, dispute) = (word.status(), DisputeStatus::from_word(word.word));
        match (self.name, status, dispute) {
            ("dispute", _, DisputeStatus::Unrecognised(_)) => "not known".into(),
            ("dispute", _, dispute) => dispute.name().into(),
            (_, ObjectStatus::Unrecognised(_), _) => "not known".into(),
            (_, status, _) => status.name().into(),
        }
    }

    /// Whether nothing follows that state, corrections aside: what our own machine holds of it.
    pub fn is_last(&self, word: &Word) -> bool {
        match self.name {
            "dispute" => DisputeStatus::from_word(word.word).is_terminal(),
            _ => matches!(word.status(), ObjectStatus::Succeeded | ObjectStatus::Canceled | ObjectStatus::Failed),
        }
    }

    /// An effect that waits for its object.
    pub fn waiting(&self) -> Scene {
        let begun = self.begun();
        match self.name {
            "payment_intent" => begun.confirmed(ObjectStatus::Processing),
            "dispute" => begun.submitted(),
            _ => begun.answered(Step::Execute, ObjectStatus::Processing),
        }
    }

    /// An effect that has succeeded with its object.
    pub fn succeeded(&self) -> Scene {
        let mut scene = self.waiting();
        let stimulus = match self.name {
            "dispute" => Stimulus::Read(Fact::SeenDispute(Box::new(dispute("under_review", 1)))),
            _ => self.read(&Word::plain("succeeded")),
        };
        scene.learn(stimulus);
        assert_eq!(scene.books.effect.state, State::Succeeded);
        scene
    }

    /// An effect that has failed with its object.
    pub fn failed(&self) -> Scene {
        let mut scene = self.waiting();
        scene.learn(match self.name {
            "payment_intent" => self.read(&Word::plain("requires_payment_method")),
            "dispute" => self.read(&Word::plain("lost")),
            _ => self.read(&Word::plain("failed")),
        });
        assert_eq!(scene.books.effect.state, State::Failed);
        scene
    }

    /// An effect of which nothing was sent yet.
    pub fn begun(&self) -> Scene {
        let policy = Policy::default();
        let mut books = match self.name {
            "payment_intent" | "dispute" => Books::payment(Class::P, CaptureMethod::Manual, policy),
            "charge" => Books::payment(Class::A, CaptureMethod::Manual, policy),
            _ => Books::refund(Class::A, policy),
        };
        if self.name == "dispute" {
            books.effect = evidence();
        }
        Scene { books }
    }

    /// A read of the object in that state.
    pub fn read(&self, word: &Word) -> Stimulus {
        match self.name {
            "dispute" => Stimulus::Read(Fact::SeenDispute(Box::new(dispute(word.word, 0)))),
            _ => Stimulus::Read(Fact::Seen(self.sighting(word))),
        }
    }

    /// An event about the object in that state.
    pub fn event(&self, word: &Word) -> Stimulus {
        match self.name {
            "dispute" => Stimulus::ObservedDispute(Box::new(dispute(word.word, 0))),
            _ => Stimulus::Observed(self.sighting(word)),
        }
    }

    fn sighting(&self, word: &Word) -> Sighting {
        self.begun().sighting(word.status())
    }
}

/// An effect at some point, with the books around it.
#[derive(Clone, Debug)]
pub struct Scene {
    pub books: Books,
}

impl Scene {
    pub fn sighting(&self, status: ObjectStatus) -> Sighting {
        let effect = &self.books.effect;
        let amount = effect.capture_amount.unwrap_or(effect.money.amount);
        let kind = effect.object_kind();
        let shown = books::sighting(kind, "object_1", status, amount);
        Sighting { money: effect.money, latest_charge: (kind == ObjectKind::Payment).then(|| "ch_1".into()), ..shown }
    }

    /// Learns as the engine does; evidence has no money, and only its effect moves.
    pub fn learn(&mut self, stimulus: Stimulus) {
        match self.books.effect.subject {
            Subject::Dispute(_) => drop(self.advance(stimulus)),
            _ => drop(self.books.learn(Source::Read, stimulus, NOW)),
        }
    }

    pub fn advance(&mut self, stimulus: Stimulus) -> Advance {
        advance(&mut self.books.effect, stimulus, &self.books.policy, NOW, 0)
    }

    /// The scene after a request was answered with an object in this status.
    pub fn answered(mut self, step: Step, status: ObjectStatus) -> Self {
        self.books.issue(step, NOW);
        let seen = Sighting { effect_id: Some(self.books.effect.id), ..self.sighting(status) };
        self.learn(Stimulus::Answered(Fact::Seen(seen)));
        self
    }

    /// The object was made, and nothing was confirmed.
    pub fn created(mut self, status: ObjectStatus) -> Self {
        self.books.issue(Step::Create, NOW);
        let inert = Sighting { latest_charge: None, ..self.sighting(status) };
        self.learn(Stimulus::Answered(Fact::Seen(inert)));
        self
    }

    /// The object was made, confirmed, and came to this status.
    pub fn confirmed(self, status: ObjectStatus) -> Self {
        self.created(ObjectStatus::RequiresConfirmation).answered(Step::Confirm, status)
    }

    /// The evidence was sent, and its answer lost.
    fn submitted(mut self) -> Self {
        self.advance(Stimulus::Read(Fact::SeenDispute(Box::new(dispute("needs_response", 0)))));
        ticket(&mut self.books.effect, NOW);
        self.advance(Stimulus::Answered(Fact::Lost(Loss::Timeout)));
        self.books.effect.lease_owner = 0;
        self
    }

    /// What becomes of it, in words.
    pub fn after(mut self, stimulus: Stimulus) -> String {
        let outcome = self.advance(stimulus);
        let effect = &self.books.effect;
        let state = effect.state.name();
        match outcome {
            Advance::Unchanged => "no change".into(),
            Advance::Contradicted if effect.state == State::Succeeded => "reported; stays as it is".into(),
            Advance::Contradicted => "review".into(),
            Advance::Returned(_) => "went back: corrected, once".into(),
            Advance::Paid => "given back after all: corrected, once".into(),
            _ if effect.state.is_terminal() => state.to_owned(),
            _ if effect.state == State::Pending && effect.due_at == Some(NOW) => "read at once".into(),
            _ => {
                let due_at = effect.due_at.expect("somebody works on it");
                let next = format!("{:?}", next_move(effect, &self.books.policy, due_at)).to_lowercase();
                format!("{state} → {}", next.replace(['(', ')'], " ").trim())
            }
        }
    }
}

/// A dispute in that state, which counts so many submissions.
pub fn dispute(word: &str, submissions: u32) -> DisputeSighting {
    DisputeSighting {
        object_id: "object_1".into(),
        charge: "ch_1".into(),
        payment_object: None,
        status: DisputeStatus::from_word(word),
        money: crate::effect_model::money(),
        reason: "fraudulent".into(),
        evidence_due_by: None,
        submissions,
        movements: Vec::new(),
    }
}

fn evidence() -> Effect {
    let payment = Books::payment(Class::P, CaptureMethod::Automatic, Policy::default()).effect;
    let subject = Subject::Dispute(DisputeId::from_bytes([6; 16]));
    let identity =
        Identity { id: payment.id, book: payment.book, tenant: payment.tenant, payment: payment.payment, subject };
    let fresh = Effect::new(identity, Class::P, payment.gateway, payment.money, NOW);
    Effect { object_id: Some("object_1".into()), ..fresh }
}
