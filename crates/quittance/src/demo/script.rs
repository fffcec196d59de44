//! Owns: the scripts that the demo's clients follow, and how often each is drawn. Does not own: following them
//! (`shopper`, `aftermath`).

use super::dice::Dice;

/// What a client does about an order, besides asking again until it knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Script {
    /// Pays.
    Pay,
    /// Sends the same key from several places at once.
    RaceKey {
        /// How many.
        racers: u64,
    },
    /// Pays, then uses its key for something else.
    ReuseKey,
    /// Asks twice at once for the same payment, under two keys.
    RaceReference {
        /// What the second wants to hear.
        second: Duplicate,
    },
    /// Tries a card that declines, and pays with a good one.
    DeclineThenPay {
        /// The card that declines.
        card: &'static str,
    },
    /// Pays with a card whose customer has to authenticate, and does so.
    Authenticate,
    /// Tries a card that declines, and gives up.
    Decline {
        /// The card.
        card: &'static str,
    },
    /// Authorises, and takes what was authorised later, or a part of it.
    Capture {
        /// How much of a hundred.
        percent: u64,
    },
    /// Authorises, and gives it up.
    Release,
    /// Pays, and wants some of it back.
    Refund {
        /// The card: it decides whether the money goes back at once, later, or comes back after all.
        card: &'static str,
        /// How much of a hundred.
        percent: u64,
    },
    /// Pays, and wants more than half of it back twice at once.
    RaceRefunds,
    /// Pays, and its bank objects later.
    Dispute {
        /// How it ends.
        ending: Ending,
    },
}

/// How a dispute ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Evidence is handed in, and the issuer is convinced.
    Won,
    /// The issuer is not convinced.
    Lost,
    /// Nobody has decided yet.
    Open,
}

/// What a client wants to hear when its reference is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Duplicate {
    /// A refusal.
    Reject,
    /// The payment that holds the reference.
    ReturnExisting,
}

impl Duplicate {
    /// As the API writes it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Reject => "reject",
            Self::ReturnExisting => "return_existing",
        }
    }
}

impl Script {
    /// How many commands, each under a key of its own, the order takes.
    pub(crate) const fn commands(self) -> usize {
        match self {
            Self::Pay | Self::RaceKey { .. } | Self::ReuseKey | Self::Authenticate | Self::Decline { .. } => 1,
            Self::Dispute { ending: Ending::Lost | Ending::Open } => 1,
            Self::RaceReference { .. }
            | Self::DeclineThenPay { .. }
            | Self::Capture { .. }
            | Self::Release
            | Self::Refund { .. }
            | Self::Dispute { ending: Ending::Won } => 2,
            Self::RaceRefunds => 3,
        }
    }
}

const DECLINING_CARDS: [&str; 4] = [
    "pm_card_chargeDeclined",
    "pm_card_chargeDeclinedInsufficientFunds",
    "pm_card_chargeDeclinedExpiredCard",
    "pm_card_chargeDeclinedIncorrectCvc",
];

/// Cards that pay, and whose refunds go through at once, later, or fail after they went through.
const REFUNDED_CARDS: [&str; 4] = [GOOD_CARD, GOOD_CARD, "pm_card_pendingRefund", "pm_card_refundFail"];

/// A card that pays.
pub(crate) const GOOD_CARD: &str = "pm_card_visa";
/// A card that pays when its customer has authenticated.
pub(crate) const AUTHENTICATING_CARD: &str = "pm_card_authenticationRequired";
/// A card that pays, and whose bank objects at once.
pub(crate) const DISPUTING_CARD: &str = "pm_card_createDispute";

impl Script {
    /// Draws one.
    pub(crate) fn draw(dice: &mut Dice) -> Self {
        match dice.roll(100) {
            0..34 => Self::Pay,
            34..38 => Self::Authenticate,
            38..48 => Self::RaceKey { racers: dice.between(2, 4) },
            48..54 => Self::ReuseKey,
            54..59 => Self::RaceReference { second: Duplicate::Reject },
            59..64 => Self::RaceReference { second: Duplicate::ReturnExisting },
            64..72 => Self::DeclineThenPay { card: dice.pick(&DECLINING_CARDS) },
            72..76 => Self::Decline { card: dice.pick(&DECLINING_CARDS) },
            76..81 => Self::Capture { percent: dice.pick(&[100, 60]) },
            81..84 => Self::Release,
            84..92 => Self::Refund { card: dice.pick(&REFUNDED_CARDS), percent: dice.pick(&[100, 50]) },
            92..96 => Self::RaceRefunds,
            _ => Self::Dispute { ending: dice.pick(&[Ending::Won, Ending::Lost, Ending::Open]) },
        }
    }
}
