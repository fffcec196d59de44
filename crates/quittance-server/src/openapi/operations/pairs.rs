//! Pairs of systems: how they stand, what was compared and repaired, and what is true of their records.

use super::{ADMIN, Answer, Needs, Operation, get, post};
use crate::problem::catalogue as code;
use quittance_core::tenant::Scope;

pub(super) fn all() -> Vec<Operation> {
    runs().into_iter().chain(truth()).collect()
}

fn admin(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    Operation { needs: ADMIN, ..get(path, id, "pairs", summary) }
}

fn runs() -> [Operation; 6] {
    [
        Operation {
            query: &["limit", "cursor"],
            answers: vec![Answer::json(200, "PairPage", "By name.")],
            ..admin("/v1/pairs", "listPairs", "List pairs, and how they stand")
        },
        Operation {
            answers: vec![Answer::json(200, "Pair", "The pair.")],
            ..admin("/v1/pairs/{name}", "getPair", "Show how a pair stands")
        },
        Operation {
            query: &["pair", "limit", "cursor"],
            answers: vec![Answer::json(200, "RunPage", "Newest first.")],
            ..admin("/v1/runs", "listRuns", "List comparisons and repairs")
        },
        Operation {
            answers: vec![Answer::json(200, "Run", "The run.")],
            ..admin("/v1/runs/{id}", "getRun", "Show a comparison, and what was repaired")
        },
        Operation {
            query: &["pair", "limit", "cursor"],
            answers: vec![Answer::json(200, "ProofPage", "Newest first.")],
            ..admin("/v1/proofs", "listProofs", "List what comparisons prove")
        },
        Operation {
            query: &["recheck"],
            answers: vec![Answer::json(200, "Proof", "The proof.")],
            ..admin(
                "/v1/proofs/{run}",
                "getProof",
                "Show what a comparison proves, checked again where that is asked for",
            )
        },
    ]
}

fn truth() -> [Operation; 2] {
    [
        Operation {
            query: &["max_age"],
            answers: vec![Answer::json(200, "Truth", "What is known, and how old it is.")],
            problems: vec![&code::TRUTH_AMBIGUOUS, &code::TRUTH_PROVIDER_FAILED, &code::TRUTH_UNAVAILABLE],
            ..get("/v1/truth/{pair}/{key}", "getTruth", "pairs", "Ask what is true of a record")
        },
        Operation {
            needs: Needs::Credential(Scope::Write),
            answers: vec![Answer::json(200, "Invalidated", "It is asked anew.")],
            problems: vec![&code::INVALID_BODY, &code::BODY_TOO_LARGE, &code::UNSUPPORTED_MEDIA_TYPE],
            ..post("/v1/truth/{pair}/{key}/invalidate", "invalidateTruth", "pairs", "Forget what is known of a record")
        },
    ]
}
