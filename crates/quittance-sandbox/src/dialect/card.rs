//! Owns: what Stripe's documented test payment methods do. Does not own: the objects made of them.
//!
//! Source: <https://docs.stripe.com/testing>. From memory: the cards of refunds and disputes with their last
//! digits, and that every `pm_card_…` has a `tok_…` of the same name.

/// What happens when a payment method is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behaviour {
    Succeeds,
    Declines(Decline),
    /// On session the customer must authenticate first; off session it is a decline.
    NeedsAuthentication,
    /// A bank debit: the outcome comes later.
    Processes,
}

/// What happens after a charge, or to its refunds, without anybody's doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aftermath {
    Nothing,
    /// A refund is pending first and succeeds later.
    RefundPends,
    /// A refund succeeds first and fails later.
    RefundFails,
    Dispute(Quarrel),
}

/// Why the cardholder objects, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quarrel {
    Fraudulent,
    ProductNotReceived,
    /// A question first: no money moves unless it escalates.
    Inquiry,
}

impl Quarrel {
    /// Stripe's `reason`.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Fraudulent | Self::Inquiry => "fraudulent",
            Self::ProductNotReceived => "product_not_received",
        }
    }

    /// Visa's codes.
    pub(crate) fn network_code(self) -> &'static str {
        match self {
            Self::Fraudulent | Self::Inquiry => "10.4",
            Self::ProductNotReceived => "13.1",
        }
    }
}

/// The codes of a refusal by the issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decline {
    pub(crate) code: &'static str,
    pub(crate) decline_code: &'static str,
    pub(crate) message: &'static str,
}

pub(crate) const GENERIC_DECLINE: Decline = decline("generic_decline");

pub(crate) const AUTHENTICATION_REQUIRED: Decline = Decline {
    code: "authentication_required",
    decline_code: "authentication_required",
    message: "Your card was declined. This transaction requires authentication.",
};

const fn decline(decline_code: &'static str) -> Decline {
    Decline { code: "card_declined", decline_code, message: "Your card was declined." }
}

/// The printable side of a payment method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Brand {
    pub(crate) name: &'static str,
    pub(crate) last4: &'static str,
    pub(crate) funding: &'static str,
}

/// One of the names that work as a payment method without having been created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TestMethod {
    pub(crate) brand: Brand,
    pub(crate) behaviour: Behaviour,
    pub(crate) aftermath: Aftermath,
}

impl TestMethod {
    /// `card` or `us_bank_account`.
    pub(crate) fn kind(&self) -> &'static str {
        if self.behaviour == Behaviour::Processes { "us_bank_account" } else { "card" }
    }
}

/// Looks a test name up. The declining cards exist with and without `visa_` in their names.
pub(crate) fn test_method(name: &str) -> Option<TestMethod> {
    if name == "pm_usBankAccount_success" || name == "pm_usBankAccount" {
        return Some(method("bank", "6789", Behaviour::Processes));
    }
    let rest = name.strip_prefix("pm_card_")?;
    good_card(rest).or_else(|| {
        let rest = rest.strip_prefix("visa_").unwrap_or(rest);
        special_card(rest).or_else(|| troublesome_card(rest))
    })
}

/// The same cards as tokens of the older charges: `tok_visa` is the card of `pm_card_visa`.
pub(crate) fn test_token(name: &str) -> Option<TestMethod> {
    test_method(&format!("pm_card_{}", name.strip_prefix("tok_")?))
}

const fn method(name: &'static str, last4: &'static str, behaviour: Behaviour) -> TestMethod {
    TestMethod { brand: Brand { name, last4, funding: "credit" }, behaviour, aftermath: Aftermath::Nothing }
}

fn good_card(name: &str) -> Option<TestMethod> {
    let (brand, last4, funding) = match name {
        "visa" | "us" => ("visa", "4242", "credit"),
        "visa_debit" => ("visa", "5556", "debit"),
        "mastercard" => ("mastercard", "4444", "credit"),
        "mastercard_debit" => ("mastercard", "8210", "debit"),
        "mastercard_prepaid" => ("mastercard", "5100", "prepaid"),
        "amex" => ("amex", "8431", "credit"),
        "discover" => ("discover", "1117", "credit"),
        "diners" => ("diners", "3222", "credit"),
        "jcb" => ("jcb", "0505", "credit"),
        "unionpay" => ("unionpay", "0005", "credit"),
        _ => return None,
    };
    let brand = Brand { name: brand, last4, funding };
    Some(TestMethod { brand, behaviour: Behaviour::Succeeds, aftermath: Aftermath::Nothing })
}

fn special_card(name: &str) -> Option<TestMethod> {
    let (last4, behaviour) = match name {
        "authenticationRequired" => ("3184", Behaviour::NeedsAuthentication),
        "threeDSecure2Required" => ("3220", Behaviour::NeedsAuthentication),
        "threeDSecureRequired" => ("3063", Behaviour::NeedsAuthentication),
        "chargeCustomerFail" => ("0341", Behaviour::Declines(GENERIC_DECLINE)),
        "chargeDeclined" => ("0002", Behaviour::Declines(GENERIC_DECLINE)),
        "chargeDeclinedInsufficientFunds" => (
            "9995",
            Behaviour::Declines(Decline {
                message: "Your card has insufficient funds.",
                ..decline("insufficient_funds")
            }),
        ),
        "chargeDeclinedLostCard" => ("9987", Behaviour::Declines(decline("lost_card"))),
        "chargeDeclinedStolenCard" => ("9979", Behaviour::Declines(decline("stolen_card"))),
        "chargeDeclinedFraudulent" | "radarBlock" => ("0019", Behaviour::Declines(decline("fraudulent"))),
        "chargeDeclinedVelocityLimitExceeded" => ("6975", Behaviour::Declines(decline("card_velocity_exceeded"))),
        "chargeDeclinedExpiredCard" => (
            "0069",
            Behaviour::Declines(Decline {
                code: "expired_card",
                decline_code: "expired_card",
                message: "Your card has expired.",
            }),
        ),
        "chargeDeclinedIncorrectCvc" => (
            "0127",
            Behaviour::Declines(Decline {
                code: "incorrect_cvc",
                decline_code: "incorrect_cvc",
                message: "Your card's security code is incorrect.",
            }),
        ),
        "chargeDeclinedProcessingError" => (
            "0119",
            Behaviour::Declines(Decline {
                code: "processing_error",
                decline_code: "processing_error",
                message: "An error occurred while processing your card. Try again in a little bit.",
            }),
        ),
        _ => return None,
    };
    Some(method("visa", last4, behaviour))
}

/// Cards that are charged without trouble, which comes later.
fn troublesome_card(name: &str) -> Option<TestMethod> {
    let (last4, aftermath) = match name {
        "pendingRefund" => ("7726", Aftermath::RefundPends),
        "refundFail" => ("5126", Aftermath::RefundFails),
        "createDispute" => ("0259", Aftermath::Dispute(Quarrel::Fraudulent)),
        "createDisputeProductNotReceived" => ("2685", Aftermath::Dispute(Quarrel::ProductNotReceived)),
        "createDisputeInquiry" => ("1976", Aftermath::Dispute(Quarrel::Inquiry)),
        _ => return None,
    };
    Some(TestMethod { aftermath, ..method("visa", last4, Behaviour::Succeeds) })
}
