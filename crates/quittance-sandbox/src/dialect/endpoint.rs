//! Owns: the endpoints and their URLs. Does not own: their parameters.

use http::Method;

use super::billing::BillingEndpoint;

/// Everything under `/v1` that answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Endpoint {
    CreateIntent,
    ListIntents,
    ReadIntent,
    UpdateIntent,
    ConfirmIntent,
    CancelIntent,
    CaptureIntent,
    ListCharges,
    ReadCharge,
    ListEvents,
    ReadEvent,
    ListWebhookEndpoints,
    CreateCustomer,
    ListCustomers,
    ReadCustomer,
    UpdateCustomer,
    DeleteCustomer,
    ListMethods,
    ReadMethod,
    AttachMethod,
    DetachMethod,
    CreateRefund,
    ListRefunds,
    ReadRefund,
    UpdateRefund,
    CancelRefund,
    ReadBalance,
    ListTransactions,
    ReadTransaction,
    CreatePayout,
    ListPayouts,
    ReadPayout,
    CancelPayout,
    ListDisputes,
    ReadDispute,
    UpdateDispute,
    CloseDispute,
    CreateCharge,
    CaptureCharge,
    /// Of products, prices, subscriptions and invoices.
    Billing(BillingEndpoint),
}

impl Endpoint {
    /// Finds the endpoint and the id in its URL (empty where there is none).
    pub(crate) fn find<'p>(method: &Method, path: &'p str) -> Option<(Self, &'p str)> {
        let mut parts = path.strip_prefix("/v1/")?.trim_end_matches('/').split('/');
        let collection = parts.next()?;
        let id = parts.next().unwrap_or("");
        let action = parts.next().unwrap_or("");
        if parts.next().is_some() {
            return None;
        }
        let verb = match *method {
            Method::GET => "get",
            Method::POST => "post",
            Method::DELETE => "delete",
            _ => return None,
        };
        let kind = if id.is_empty() { "all" } else { "one" };
        Self::named(collection, verb, kind, action).map(|endpoint| (endpoint, id))
    }

    fn named(collection: &str, verb: &str, kind: &str, action: &str) -> Option<Self> {
        Some(match (collection, verb, kind, action) {
            ("payment_intents", "post", "all", "") => Self::CreateIntent,
            ("payment_intents", "get", "all", "") => Self::ListIntents,
            ("payment_intents", "get", "one", "") => Self::ReadIntent,
            ("payment_intents", "post", "one", "") => Self::UpdateIntent,
            ("payment_intents", "post", "one", "confirm") => Self::ConfirmIntent,
            ("payment_intents", "post", "one", "cancel") => Self::CancelIntent,
            ("payment_intents", "post", "one", "capture") => Self::CaptureIntent,
            ("charges", "get", "all", "") => Self::ListCharges,
            ("charges", "get", "one", "") => Self::ReadCharge,
            ("events", "get", "all", "") => Self::ListEvents,
            ("events", "get", "one", "") => Self::ReadEvent,
            ("webhook_endpoints", "get", "all", "") => Self::ListWebhookEndpoints,
            ("customers", "post", "all", "") => Self::CreateCustomer,
            ("customers", "get", "all", "") => Self::ListCustomers,
            ("customers", "get", "one", "") => Self::ReadCustomer,
            ("customers", "post", "one", "") => Self::UpdateCustomer,
            ("customers", "delete", "one", "") => Self::DeleteCustomer,
            ("payment_methods", "get", "all", "") => Self::ListMethods,
            ("payment_methods", "get", "one", "") => Self::ReadMethod,
            ("payment_methods", "post", "one", "attach") => Self::AttachMethod,
            ("payment_methods", "post", "one", "detach") => Self::DetachMethod,
            _ => return Self::of_money(collection, verb, kind, action),
        })
    }

    fn of_money(collection: &str, verb: &str, kind: &str, action: &str) -> Option<Self> {
        Some(match (collection, verb, kind, action) {
            ("refunds", "post", "all", "") => Self::CreateRefund,
            ("refunds", "get", "all", "") => Self::ListRefunds,
            ("refunds", "get", "one", "") => Self::ReadRefund,
            ("refunds", "post", "one", "") => Self::UpdateRefund,
            ("refunds", "post", "one", "cancel") => Self::CancelRefund,
            ("balance", "get", "all", "") => Self::ReadBalance,
            ("balance_transactions", "get", "all", "") => Self::ListTransactions,
            ("balance_transactions", "get", "one", "") => Self::ReadTransaction,
            ("payouts", "post", "all", "") => Self::CreatePayout,
            ("payouts", "get", "all", "") => Self::ListPayouts,
            ("payouts", "get", "one", "") => Self::ReadPayout,
            ("payouts", "post", "one", "cancel") => Self::CancelPayout,
            ("disputes", "get", "all", "") => Self::ListDisputes,
            ("disputes", "get", "one", "") => Self::ReadDispute,
            ("disputes", "post", "one", "") => Self::UpdateDispute,
            ("disputes", "post", "one", "close") => Self::CloseDispute,
            ("charges", "post", "all", "") => Self::CreateCharge,
            ("charges", "post", "one", "capture") => Self::CaptureCharge,
            _ => return BillingEndpoint::named(collection, verb, kind, action).map(Self::Billing),
        })
    }

    /// Whether a write here can be late: those that decide about money.
    pub(crate) fn can_be_late(self) -> bool {
        matches!(
            self,
            Self::CreateIntent
                | Self::ConfirmIntent
                | Self::CancelIntent
                | Self::CaptureIntent
                | Self::CreateRefund
                | Self::CancelRefund
                | Self::CreatePayout
                | Self::CancelPayout
                | Self::CreateCharge
                | Self::CaptureCharge
                | Self::CloseDispute
        )
    }

    /// The first word of the URL: what it is about.
    pub(crate) fn collection(self) -> &'static str {
        let class = self.class();
        class.split_once('/').map_or(class, |(collection, _)| collection)
    }

    /// The path class that faults are drawn for: the URL without its id.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::CreateIntent | Self::ListIntents => "payment_intents",
            Self::ReadIntent | Self::UpdateIntent => "payment_intents/{id}",
            Self::ConfirmIntent => "payment_intents/{id}/confirm",
            Self::CancelIntent => "payment_intents/{id}/cancel",
            Self::CaptureIntent => "payment_intents/{id}/capture",
            Self::ListCharges | Self::CreateCharge => "charges",
            Self::ReadCharge => "charges/{id}",
            Self::ListEvents => "events",
            Self::ReadEvent => "events/{id}",
            Self::ListWebhookEndpoints => "webhook_endpoints",
            Self::CreateCustomer | Self::ListCustomers => "customers",
            Self::ReadCustomer | Self::UpdateCustomer | Self::DeleteCustomer => "customers/{id}",
            Self::ListMethods => "payment_methods",
            Self::ReadMethod => "payment_methods/{id}",
            Self::AttachMethod => "payment_methods/{id}/attach",
            Self::DetachMethod => "payment_methods/{id}/detach",
            Self::CaptureCharge => "charges/{id}/capture",
            Self::CreateRefund | Self::ListRefunds => "refunds",
            Self::ReadRefund | Self::UpdateRefund => "refunds/{id}",
            Self::CancelRefund => "refunds/{id}/cancel",
            Self::ReadBalance => "balance",
            Self::ListTransactions => "balance_transactions",
            Self::ReadTransaction => "balance_transactions/{id}",
            Self::CreatePayout | Self::ListPayouts => "payouts",
            Self::ReadPayout => "payouts/{id}",
            Self::CancelPayout => "payouts/{id}/cancel",
            Self::ListDisputes => "disputes",
            Self::ReadDispute | Self::UpdateDispute => "disputes/{id}",
            Self::CloseDispute => "disputes/{id}/close",
            Self::Billing(endpoint) => endpoint.class(),
        }
    }
}
