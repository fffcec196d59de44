//! The limit that stopped a request, as clients see it.

use quittance_core::brake::Over;
use serde::Serialize;

/// A limit, and how far the request is over it.
#[derive(Debug, Serialize)]
pub(super) struct BrakeView {
    limit: &'static str,
    max: i64,
    used: i64,
    asked: i64,
    /// Payments that the retries are among.
    #[serde(skip_serializing_if = "Option::is_none")]
    payments: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<&'static str>,
    #[serde(skip)]
    pub(super) is_lifted_by_time: bool,
}

impl BrakeView {
    pub(super) fn of(over: &Over) -> Self {
        Self {
            limit: over.limit.name(),
            max: over.max,
            used: over.used,
            asked: over.asked,
            payments: over.payments,
            currency: over.currency.map(quittance_core::currency::Currency::code),
            is_lifted_by_time: over.retry_after_s.is_some(),
        }
    }
}
