//! The ledger, what people decide, and what the server says of itself.

use super::{ADMIN, Answer, Needs, Operation, PENDING, get, post};
use crate::problem::catalogue as code;
use quittance_core::tenant::Scope;

/// Every operation about them.
pub(super) fn all() -> impl Iterator<Item = Operation> {
    ledger().into_iter().chain(decisions()).chain(discrepancies()).chain(server())
}

fn ledger() -> [Operation; 5] {
    const FILTERS: &[&str] = &["customer", "account", "currency", "limit", "cursor"];
    [
        Operation {
            query: FILTERS,
            answers: vec![Answer::json(200, "LedgerEntryPage", "Book by book, the oldest first.")],
            problems: vec![&code::CUSTOMER_NOT_FOUND],
            ..get("/v1/ledger/entries", "listLedgerEntries", "ledger", "List movements of money")
        },
        Operation {
            query: FILTERS,
            answers: vec![Answer::json(200, "BalancePage", "By account and currency.")],
            problems: vec![&code::CUSTOMER_NOT_FOUND],
            ..get("/v1/ledger/balances", "listBalances", "ledger", "Sum books up")
        },
        Operation {
            query: FILTERS,
            answers: vec![Answer::json(200, "AccountPage", "By name.")],
            problems: vec![&code::CUSTOMER_NOT_FOUND],
            ..get("/v1/ledger/accounts", "listAccounts", "ledger", "List accounts in use")
        },
        Operation {
            answers: vec![Answer::json(200, "Command", "Where it stands.")],
            ..get("/v1/commands/{id}", "getCommand", "ledger", "Show where a request stands")
        },
        Operation {
            query: &["repair"],
            answers: vec![Answer::json(200, "Trace", "The story.")],
            ..get("/v1/trace/{id}", "trace", "ledger", "Tell the story behind an id of any kind")
        },
    ]
}

fn decisions() -> [Operation; 6] {
    [
        Operation {
            needs: Needs::Key(Scope::Admin),
            body: Some("Resolution"),
            answers: vec![
                Answer::json(200, "AnyOrCommand", "What it is now."),
                Answer::json(201, "AnyOrCommand", "What became of it."),
                Answer::json(202, "AnyOrCommand", PENDING),
            ],
            problems: vec![
                &code::OWN_REQUEST,
                &code::NOT_IN_REVIEW,
                &code::NEVER_SENT,
                &code::NOT_PARKED,
                &code::RECEIVED_AMOUNT_DIFFERS,
                &code::HOLD_IS_GONE,
                &code::BOOK_FULL,
                &code::REFUND_TOO_LARGE,
                &code::RESOLVED_AMOUNT,
                &code::PAYMENT_DECLINED,
                &code::BRAKE,
            ],
            ..post("/v1/effects/{id}/resolve", "resolveEffect", "operations", "Decide what automation may not")
        },
        Operation {
            needs: ADMIN,
            body: Some("Switch"),
            answers: vec![Answer::json(200, "Paused", "What is paused now.")],
            problems: vec![&code::GATEWAY_NOT_FOUND],
            ..post("/v1/pause", "pause", "operations", "Let nothing leave for a gateway")
        },
        Operation {
            needs: ADMIN,
            body: Some("Switch"),
            answers: vec![Answer::json(200, "Paused", "What is paused now.")],
            problems: vec![&code::GATEWAY_NOT_FOUND],
            ..post("/v1/resume", "resume", "operations", "Let it go on")
        },
        Operation {
            needs: ADMIN,
            query: &["is_alert_open"],
            answers: vec![Answer::json(200, "Alerts", "All of them.")],
            ..get("/v1/alerts", "listAlerts", "operations", "List what is wrong, and whom it is told")
        },
        Operation {
            needs: ADMIN,
            body: Some("Requeue"),
            answers: vec![Answer::json(200, "Requeued", "It is looked at again.")],
            problems: vec![&code::NOT_FOUND],
            ..post(
                "/v1/gateway-objects/requeue",
                "requeueObject",
                "operations",
                "Have a gateway's object looked at again",
            )
        },
        Operation {
            needs: ADMIN,
            body: Some("Replay"),
            answers: vec![Answer::json(200, "Replayed", "It was applied again.")],
            problems: vec![&code::WEBHOOK_MALFORMED],
            ..post("/v1/inbox/{event}/replay", "replayEvent", "operations", "Apply a gateway's stored event again")
        },
    ]
}

fn discrepancies() -> [Operation; 5] {
    [
        Operation {
            query: &["source", "pair", "is_open", "kind", "key", "created_after", "created_before", "limit", "cursor"],
            answers: vec![Answer::json(200, "DiscrepancyPage", "Newest first.")],
            ..get("/v1/discrepancies", "listDiscrepancies", "operations", "List what does not agree")
        },
        Operation {
            answers: vec![Answer::json(200, "AnyDiscrepancy", "It, and what was done about it.")],
            ..get("/v1/discrepancies/{id}", "getDiscrepancy", "operations", "Show what does not agree, side by side")
        },
        decision("/v1/discrepancies/{id}/ignore", "ignoreDiscrepancy", "Leave it, until a record changes"),
        decision("/v1/discrepancies/{id}/approve", "approveDiscrepancy", "Have the repair made that waits"),
        Operation {
            body: Some("DiscrepancyResolution"),
            ..decision(
                "/v1/discrepancies/{id}/resolve",
                "resolveDiscrepancy",
                "Say which side is right, or what is, and have it repaired",
            )
        },
    ]
}

/// A decision about a discrepancy of a pair.
fn decision(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    Operation {
        needs: Needs::Key(Scope::Admin),
        body: Some("DiscrepancyDecision"),
        answers: vec![Answer::json(200, "PairDiscrepancyDetail", "It is carried out.")],
        problems: vec![&code::DISCREPANCY_CLOSED, &code::NOTHING_WAITS, &code::NOT_RESOLVABLE, &code::PAIR_UNAVAILABLE],
        ..post(path, id, "operations", summary)
    }
}

fn server() -> [Operation; 5] {
    fn open(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
        Operation { needs: Needs::Nothing, ..get(path, id, "server", summary) }
    }
    let metrics = vec![Answer {
        status: 200,
        description: "In the text format of Prometheus.",
        media_type: "text/plain",
        schema: "",
    }];
    [
        Operation {
            method: "post",
            answers: vec![Answer::json(200, "Received", "It is stored, or was before.")],
            problems: vec![
                &code::WEBHOOK_SIGNATURE,
                &code::WEBHOOK_MALFORMED,
                &code::WEBHOOK_NOT_OURS,
                &code::BODY_TOO_LARGE,
                &code::REQUEST_TIMEOUT,
                &code::INTERNAL,
                &code::OVERLOADED,
                &code::STOPPING,
                &code::STORAGE_UNAVAILABLE,
                &code::STORAGE_FULL,
            ],
            ..open("/webhooks/{endpoint_id}", "receiveWebhook", "Take an event of a gateway, signed as it signs")
        },
        Operation {
            answers: vec![Answer::json(200, "Alive", "The process runs.")],
            ..open("/healthz", "alive", "Tell whether the process runs")
        },
        Operation {
            answers: vec![
                Answer::json(200, "Ready", "It takes commands."),
                Answer::json(503, "Ready", "It is stopping."),
            ],
            ..open("/readyz", "ready", "Tell whether commands are taken")
        },
        Operation { answers: metrics, ..open("/metrics", "metrics", "Numbers for monitoring") },
        Operation {
            answers: vec![Answer::json(200, "Contract", "OpenAPI 3.1.")],
            ..open("/openapi.json", "contract", "This document")
        },
    ]
}
