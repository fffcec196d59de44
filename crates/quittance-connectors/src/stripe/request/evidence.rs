//! The request that answers a dispute, and what an answer may consist of.

use std::collections::BTreeMap;

use quittance_core::fact::ObjectKind;

use super::{Form, object_path};
use crate::message::Request;
use crate::stripe::Stripe;

/// The members of `evidence` that are texts or ids of uploaded files. `enhanced_evidence`, which has members of its own,
/// is not among them.
pub(in crate::stripe) const EVIDENCE_NAMES: [&str; 27] = [
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
];

impl Stripe {
    /// Builds the submission of evidence, which is final: nothing can be added afterwards.
    pub(super) fn submit_evidence(&self, object_id: &str, evidence: &BTreeMap<String, String>) -> Request {
        let mut form = Form::default();
        for (name, text) in evidence {
            form.add_member("evidence", name, text);
        }
        form.add("submit", "true");
        self.post(object_path(ObjectKind::Dispute, object_id, ""), form)
    }
}
