//! Customers, and the money that they pay and get back.

use super::{Answer, Operation, PENDING, get, post};
use crate::problem::catalogue as code;

/// Every operation about them.
pub(super) fn all() -> impl Iterator<Item = Operation> {
    customers().into_iter().chain(payments()).chain(refunds()).chain(disputes())
}

fn customers() -> [Operation; 3] {
    [
        Operation {
            body: Some("NewCustomer"),
            answers: vec![
                Answer::json(201, "Customer", "It is created."),
                Answer::json(202, "PendingCommand", PENDING),
            ],
            problems: vec![&code::CUSTOMER_EXISTS, &code::GATEWAY_NOT_FOUND],
            ..post("/v1/customers", "createCustomer", "customers", "Create a customer")
        },
        Operation {
            query: &["limit", "cursor"],
            answers: vec![Answer::json(200, "CustomerPage", "Newest first.")],
            ..get("/v1/customers", "listCustomers", "customers", "List customers")
        },
        Operation {
            answers: vec![Answer::json(200, "Customer", "The customer.")],
            problems: vec![&code::CUSTOMER_NOT_FOUND],
            ..get("/v1/customers/{id}", "getCustomer", "customers", "Show a customer, by our id or yours")
        },
    ]
}

/// What follows on a step.
fn moved_on() -> Vec<Answer> {
    vec![
        Answer::json(200, "Payment", "What it is now."),
        Answer::json(201, "Payment", "What became of it."),
        Answer::json(202, "PaymentOrCommand", PENDING),
    ]
}

fn payments() -> [Operation; 5] {
    [
        Operation {
            body: Some("NewPayment"),
            answers: vec![
                Answer::json(200, "Payment", "The payment that holds the reference, where that was asked for."),
                Answer::json(201, "Payment", "It came to an end, or it is your customer's turn."),
                Answer::json(202, "PaymentOrCommand", PENDING),
            ],
            problems: vec![
                &code::CURRENCY_UNKNOWN,
                &code::GATEWAY_NOT_FOUND,
                &code::AMOUNT_NOT_REPRESENTABLE,
                &code::GATEWAY_MODE,
                &code::BRAKE,
                &code::PAYMENT_DECLINED,
                &code::CUSTOMER_NOT_FOUND,
                &code::DUPLICATE_INTENT,
                &code::BOOK_FULL,
                &code::NOT_OFFERED,
            ],
            ..post("/v1/payments", "createPayment", "payments", "Collect a payment")
        },
        Operation {
            query: &["customer", "payment_status", "reference", "created_after", "created_before", "limit", "cursor"],
            answers: vec![Answer::json(200, "PaymentPage", "Newest first.")],
            problems: vec![&code::CUSTOMER_NOT_FOUND],
            ..get("/v1/payments", "listPayments", "payments", "List payments")
        },
        Operation {
            answers: vec![Answer::json(200, "Payment", "The payment.")],
            ..get("/v1/payments/{id}", "getPayment", "payments", "Show a payment")
        },
        Operation {
            body: Some("Capture"),
            answers: moved_on(),
            problems: vec![
                &code::AMOUNT_NOT_REPRESENTABLE,
                &code::CAPTURE_TOO_LARGE,
                &code::NOT_CAPTURABLE,
                &code::NOT_OFFERED,
                &code::PAYMENT_DECLINED,
                &code::REFUSED_BY_GATEWAY,
            ],
            ..post("/v1/payments/{id}/capture", "capturePayment", "payments", "Take what is authorised")
        },
        Operation {
            body: Some("Cancel"),
            answers: moved_on(),
            problems: vec![
                &code::NOT_CANCELABLE,
                &code::NOT_OFFERED,
                &code::PAYMENT_DECLINED,
                &code::REFUSED_BY_GATEWAY,
            ],
            ..post("/v1/payments/{id}/cancel", "cancelPayment", "payments", "Give a payment up")
        },
    ]
}

fn refunds() -> [Operation; 3] {
    [
        Operation {
            body: Some("NewRefund"),
            answers: vec![
                Answer::json(200, "Refund", "What a person decided about it."),
                Answer::json(201, "Refund", "It came to an end, or it is somebody else's turn."),
                Answer::json(202, "RefundOrCommand", PENDING),
            ],
            problems: vec![
                &code::AMOUNT_NOT_REPRESENTABLE,
                &code::BRAKE,
                &code::NOT_FOUND,
                &code::DUPLICATE_REFUND,
                &code::NOT_REFUNDABLE,
                &code::REFUND_CURRENCY,
                &code::REFUND_TOO_LARGE,
                &code::REFUNDED_AMOUNT_DIFFERS,
                &code::BOOK_FULL,
                &code::NOT_OFFERED,
            ],
            ..post("/v1/refunds", "createRefund", "refunds", "Give money back")
        },
        Operation {
            query: &["payment", "refund_status", "reference", "limit", "cursor"],
            answers: vec![Answer::json(200, "RefundPage", "Newest first.")],
            problems: vec![&code::NOT_FOUND],
            ..get("/v1/refunds", "listRefunds", "refunds", "List refunds")
        },
        Operation {
            answers: vec![Answer::json(200, "Refund", "The refund.")],
            ..get("/v1/refunds/{id}", "getRefund", "refunds", "Show a refund")
        },
    ]
}

fn disputes() -> [Operation; 3] {
    [
        Operation {
            query: &["payment", "dispute_status", "limit", "cursor"],
            answers: vec![Answer::json(200, "DisputePage", "Newest first.")],
            problems: vec![&code::NOT_FOUND],
            ..get("/v1/disputes", "listDisputes", "disputes", "List disputes")
        },
        Operation {
            answers: vec![Answer::json(200, "Dispute", "The dispute.")],
            ..get("/v1/disputes/{id}", "getDispute", "disputes", "Show a dispute")
        },
        Operation {
            body: Some("NewEvidence"),
            answers: vec![
                Answer::json(200, "Dispute", "What a person decided about it."),
                Answer::json(201, "Dispute", "The evidence is with the gateway."),
                Answer::json(202, "PendingCommand", PENDING),
            ],
            problems: vec![
                &code::DUPLICATE_EVIDENCE,
                &code::EVIDENCE_NOT_TAKEN,
                &code::EVIDENCE_TOO_LATE,
                &code::NOT_OFFERED,
                &code::REFUSED_BY_GATEWAY,
            ],
            ..post("/v1/disputes/{id}/evidence", "submitEvidence", "disputes", "Answer a dispute")
        },
    ]
}
