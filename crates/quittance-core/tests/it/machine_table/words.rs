//! The published machines and their words, and what each word is read as.

use quittance_core::fact::ObjectStatus;

/// A word that no version of the machines has.
pub const NEW: &str = "a_new_word";

/// A state in the gateway's word.
#[derive(Clone, Copy, Debug)]
pub struct Word {
    pub word: &'static str,
    /// What else the object shows, where the word alone does not tell.
    pub note: &'static str,
    /// The status that an object with this word and note is read as.
    pub status: &'static str,
}

impl Word {
    pub const fn plain(word: &'static str) -> Self {
        Self { word, note: "", status: word }
    }

    const fn read(word: &'static str, note: &'static str, status: &'static str) -> Self {
        Self { word, note, status }
    }

    pub fn is_plain(&self) -> bool {
        self.note.is_empty() && self.word != NEW
    }

    pub fn title(&self) -> String {
        if self.note.is_empty() { self.word.to_owned() } else { format!("{}, {}", self.word, self.note) }
    }

    pub fn status(&self) -> ObjectStatus {
        let known = [
            ObjectStatus::RequiresPaymentMethod,
            ObjectStatus::RequiresConfirmation,
            ObjectStatus::RequiresAction,
            ObjectStatus::Processing,
            ObjectStatus::RequiresCapture,
            ObjectStatus::Succeeded,
            ObjectStatus::Canceled,
            ObjectStatus::Failed,
        ];
        let named = known.into_iter().find(|status| status.name() == self.status);
        named.unwrap_or_else(|| ObjectStatus::Unrecognised(self.status.into()))
    }
}

/// A published machine, and the effect that is about its objects.
#[derive(Clone, Copy, Debug)]
pub struct Machine {
    pub name: &'static str,
    pub title: &'static str,
    pub about: &'static str,
    pub words: &'static [Word],
}

/// Every machine whose objects an effect can be about.
pub const MACHINES: [Machine; 4] = [
    Machine {
        name: "payment_intent",
        title: "Payment intents",
        about: "The effect is a payment in two phases, confirmed and pending.",
        words: &[
            Word::plain("requires_payment_method"),
            Word::plain("requires_confirmation"),
            Word::plain("requires_action"),
            Word::plain("processing"),
            Word::plain("requires_capture"),
            Word::plain("succeeded"),
            Word::plain("canceled"),
            Word::plain(NEW),
        ],
    },
    Machine {
        name: "charge",
        title: "Charges",
        about: "The effect is a payment in one request, accepted and pending. A charge is \"succeeded\" from its \
                authorisation on; whether money moved is said by what was captured.",
        words: &[
            Word::read("pending", "", "processing"),
            Word::read("succeeded", "captured", "succeeded"),
            Word::read("succeeded", "authorised only", "requires_capture"),
            Word::read("succeeded", "authorised and released", "canceled"),
            Word::plain("failed"),
            Word::plain(NEW),
        ],
    },
    Machine {
        name: "refund",
        title: "Refunds",
        about: "The effect is a refund, accepted and pending.",
        words: &[
            Word::read("pending", "", "processing"),
            Word::plain("requires_action"),
            Word::plain("succeeded"),
            Word::plain("failed"),
            Word::plain("canceled"),
            Word::plain(NEW),
        ],
    },
    Machine {
        name: "dispute",
        title: "Disputes",
        about: "The effect hands in evidence; its answer was lost, and the dispute does not count it. Money follows what \
                the gateway withdraws and reinstates, never a state.",
        words: &[
            Word::plain("warning_needs_response"),
            Word::plain("warning_under_review"),
            Word::plain("warning_closed"),
            Word::plain("needs_response"),
            Word::plain("under_review"),
            Word::plain("won"),
            Word::plain("lost"),
            Word::plain("prevented"),
            Word::plain(NEW),
        ],
    },
];
