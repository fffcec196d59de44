//! The crash matrix, whole: every workflow, every step of it, every fault. `docs/crashes.md` shows what was lived.
//!
//! `cargo xtask test -- --table crashes` runs it and shows it; `UPDATE=1` rewrites the page.

use quittance_sim::matrix::{self, report};
use std::path::Path;

/// Threads that live the worlds.
const JOBS: usize = 2;

const POINTS: &str = "\
## The single crash points

Each is a test of that name in `crates/quittance-sim/tests/it/crash_points`.

| test | killed | the next process finds | and does |
| --- | --- | --- | --- |
| `c0_` | before the claim commits | nothing | nothing; the client's retry is a first request |
| `c1_` | the claim is committed, its answer not sent | the command in progress, the effect intended | runs it; the retry joins the wait |
| `c2_` | a lease is taken, no ticket issued | the effect intended | leases it again, sends |
| `c3_`, `c4_` | the ticket is committed; no byte, or all of it, was sent | the effect sending, both times | reads (P), replays (A), searches (B); leaves it to a person (D), and never sends it again |
| `c5_` | the answer came and is not committed | the effect sending | reads, or replays and gets the stored answer |
| `c6_` | outcome, ledger and answer are committed | the end | nothing |
| `c7_` | the answer to a commit is lost | either side of it | goes on from what is stored |
| `c8_` | the object is made, its id not committed | the effect sending at its create | the same key again: one object |
| `c9_` | an event is sent, the mark not written | the delivery under a lease | sends it again, the same bytes under the same id: receivers tell by it (`c9_…` of the engine's tests) |
| `c10_` | the webhook is stored, the 2xx not sent | the event in the inbox | knows it when it is delivered again |
| `c11_` | around the transaction that applies a webhook | all of it, or nothing | applies it when it is delivered again |
| `c12_` | a failover loses the ticket | the effect intended, though the money moved | recovers as after a restore |
| `c13_` | a backup is restored | what was true when it was taken | sends nothing before its sweeps are complete; never charges again what they find; tells what nobody knows any more. A client who asks again for what the restore lost whole is answered with the charge that happened |
| `c14_` | while webhook secrets are rotated | – | takes what any of the secrets in use has signed |
| `c16_` | the clock jumps while an answer is lost | – | reads (P) or searches (A), and does not replay |

C9 is shown where events are sent, in the engine's tests: the workflows here are those at gateways. C15, that nothing anybody presses sends again
what is unknown, and C14 with API keys rotated, are the API's (`crates/quittance-server/tests/it/api/unknowns.rs`).
";

const INTRODUCTION: &str = "\
# What a crash does to a workflow

A world without faults says which steps a workflow has: every command and webhook that arrives, every transaction that
writes, every request that leaves for a gateway. Then each step is struck by each fault, in a world of its own. A new process
starts, nothing else goes wrong, and the end has to be the one that the workflow has without faults: one effect at the
gateway, one answer for each key, books that balance and come to what the gateway's books do, nothing open, and `verify`
without findings.

| fault | command | transaction | request | webhook |
| --- | --- | --- | --- | --- |
| killed before | before it is looked at | before it begins | before it leaves | before it is looked at |
| killed after | its answer has left | it is committed, nobody was told | the gateway did it, no answer came | it is committed, no 2xx left |
| answer lost, done | the client hears nothing | the answer to the commit is lost | the gateway did it, nothing is heard | the 2xx is lost |
| answer lost, not done | it never arrives | the same, and it is not committed | it never arrives | the gateway gives it up |
| repeated | it is sent twice at once | what it decided is submitted again | the network doubles it | it is delivered twice |
| answered twice | – | – | its answer is handed over twice | – |

A number in a table says how many worlds were lived for a step and a fault; – is what cannot happen. *Times* is how often the
step comes in the workflow. Where one comes again and again, as when a pending object is read every half an hour, its first
six and its last six times are struck. Sweeps and the engine's clock, which go on whatever else happens, are struck in the
workflow of the sweep.

This page is made by a test (`UPDATE=1 cargo xtask test -- --table crashes` rewrites it), which lives every one of these
worlds.
";

#[test]
#[ignore = "thousands of worlds, which `cargo xtask test` lives in the profile that is made for them"]
fn crashes() {
    let matrices = matrix::run(matrix::all(), JOBS);
    let text = format!("{INTRODUCTION}\n{POINTS}{}", report::tables(&matrices));
    println!("{text}");
    let wrongs = report::wrongs(&matrices);
    assert!(wrongs.is_empty(), "{} cells ended otherwise:\n{}", wrongs.len(), wrongs.join("\n"));
    assert!(matrices.iter().all(|matrix| !matrix.cells.is_empty()), "a workflow without cells");
    check_page(&text);
}

/// Holds the page against what was lived, or rewrites it.
#[expect(clippy::disallowed_methods, reason = "only the environment can tell a test to write its page anew")]
fn check_page(text: &str) {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/crashes.md");
    if std::env::var_os("UPDATE").is_some() {
        return std::fs::write(&page, text).expect("the page can be written");
    }
    let written = std::fs::read_to_string(&page).unwrap_or_default();
    assert!(written == text, "docs/crashes.md says something else: UPDATE=1 rewrites it");
}
