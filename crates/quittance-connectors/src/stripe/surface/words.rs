//! Every word that is published for a place: the states and kinds of Stripe's objects.

type Words = (&'static str, &'static [&'static str]);

const COLLECTION_METHODS: &[&str] = &["charge_automatically", "send_invoice"];

pub(super) const SUBSCRIPTION: [Words; 2] = [
    ("status", &["active", "canceled", "incomplete", "incomplete_expired", "past_due", "paused", "trialing", "unpaid"]),
    ("collection_method", COLLECTION_METHODS),
];

pub(super) const INVOICE: [Words; 3] = [
    ("status", &["draft", "open", "paid", "uncollectible", "void"]),
    ("collection_method", COLLECTION_METHODS),
    (
        "billing_reason",
        &[
            "automatic_pending_invoice_item_invoice",
            "manual",
            "quote_accept",
            "subscription",
            "subscription_create",
            "subscription_cycle",
            "subscription_threshold",
            "subscription_update",
            "upcoming",
        ],
    ),
];

pub(super) const CHARGE: [Words; 1] = [("status", &["failed", "pending", "succeeded"])];

pub(super) const PAYMENT_INTENT: [Words; 3] = [
    (
        "status",
        &[
            "canceled",
            "processing",
            "requires_action",
            "requires_capture",
            "requires_confirmation",
            "requires_payment_method",
            "succeeded",
        ],
    ),
    ("capture_method", &["automatic", "automatic_async", "manual"]),
    (
        "cancellation_reason",
        &[
            "abandoned",
            "automatic",
            "duplicate",
            "expired",
            "failed_invoice",
            "fraudulent",
            "requested_by_customer",
            "void_invoice",
        ],
    ),
];

pub(super) const REFUND: [Words; 2] = [
    ("status", &["canceled", "failed", "pending", "requires_action", "succeeded"]),
    ("reason", &["duplicate", "expired_uncaptured_charge", "fraudulent", "requested_by_customer"]),
];

pub(super) const DISPUTE: [Words; 1] = [(
    "status",
    &[
        "lost",
        "needs_response",
        "prevented",
        "under_review",
        "warning_closed",
        "warning_needs_response",
        "warning_under_review",
        "won",
    ],
)];

pub(super) const PAYOUT: [Words; 2] =
    [("status", &["canceled", "failed", "in_transit", "paid", "pending"]), ("type", &["bank_account", "card"])];

pub(super) const CREDIT_NOTE: [Words; 2] = [
    ("status", &["issued", "void"]),
    ("reason", &["duplicate", "fraudulent", "order_change", "product_unsatisfactory"]),
];
