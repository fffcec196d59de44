//! Whatever another hand's program makes up from the description of the API, a real server answers as described: no status
//! that is not said, no body of another shape, nothing refused that is right and nothing taken that is wrong.
//!
//! `tests/peers/schemathesis.toml` says what it is told. Its report stays in `schemathesis` under the folder that the last line
//! names. What is made up is the same each time, and bounded; `cargo xtask soak` draws anew and goes on for as long as it says.

use crate::support::{Client, Home, Server, is_soaking, sandbox, soak};
use quittance_surroundings::Peer;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Of each operation, and of each phase.
const EXAMPLES_MAX: &str = "12";

/// Looks at a payment, each as long as the server waits; only a broken promise takes this many.
const LOOKS_MAX: usize = 200;

/// Methods of payment that the sandbox knows, one for each way that a payment may go.
const METHODS: [&str; 6] = [
    "pm_card_visa",
    "pm_card_visa_chargeDeclined",
    "pm_card_authenticationRequired",
    "pm_card_createDispute",
    "pm_card_createDisputeInquiry",
    "pm_usBankAccount",
];

/// A server of ours on which something has happened already.
struct Target {
    python: PathBuf,
    home: Home,
    secret: String,
    server: Server,
    _sandbox: Server,
}

impl Target {
    fn open() -> Option<Self> {
        let python = Peer::Python.find("schemathesis against the API")?;
        let place = Home::new();
        let sandbox = sandbox(&place);
        let home = Home::with_gateway(&sandbox.base);
        // Nobody waits for what takes long: 202 is an answer as any other.
        home.configure("\n[server]\nwait_ms = 300\nwait_max_ms = 300\n");
        let secret = home.credential();
        let server = home.serve();
        let target = json!({"url": format!("{}/webhooks/we_it", server.base), "secrets": ["whsec_it"]});
        assert_eq!(Client::new(&sandbox.base, None).post("/_sandbox/webhook_target", "-", &target).0, 200);
        furnish(&Client::new(&server.base, Some(&secret)));
        Some(Self { python, home, secret, server, _sandbox: sandbox })
    }

    /// Asks everything that can be made up, with these words besides.
    fn attack(&self, report: &str, words: &[&str]) {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("schemathesis").join(report);
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("a folder for the report");
        let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers");
        let output = Command::new(&self.python)
            .args(["-m", "schemathesis.cli", "--config-file"])
            .arg(peers.join("schemathesis.toml"))
            .args(["run", &format!("{}/openapi.json", self.server.base), "--no-color", "--report", "junit,html"])
            .args(["-H", &format!("Authorization: Bearer {}", self.secret), "--report-dir"])
            .arg(&folder)
            .args(words)
            .env("SCHEMATHESIS_HOOKS", peers.join("schemathesis_hooks.py"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .current_dir(self.home.directory.path())
            .output()
            .expect("python runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        std::fs::write(folder.join("output.txt"), &text).expect("its output kept");
        println!("schemathesis: the whole report is in {}", folder.display());
        assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
        // It ends well, too, where it found nothing to ask.
        assert!(text.contains("No issues found") || text.contains("passed"), "{text}");
    }

    /// What came of it all has to be sound.
    fn close(mut self) {
        assert_eq!(self.server.terminate(), 0);
        let ended = self.home.run(&["verify"]);
        assert_eq!(ended.code, 0, "{ended:?}");
    }
}

/// Makes one of everything.
fn furnish(client: &Client) {
    let customer = json!({"external_id": "anna", "name": "Anna", "currency": "USD"});
    assert_eq!(client.post("/v1/customers", "anna", &customer).0, 201);
    let pay = |reference: &str, method: &str, capture: &str| -> Value {
        let body = json!({
            "customer": "anna", "amount": 1999, "currency": "USD", "gateway": "sandbox", "payment_method": method,
            "reference": reference, "capture_method": capture,
        });
        let (status, payment) = client.post("/v1/payments", reference, &body);
        assert!(matches!(status, 201 | 202 | 402), "{status} {payment}");
        payment
    };
    for method in METHODS {
        pay(method, method, "automatic");
    }
    pay("later", "pm_card_visa", "manual");
    // Nobody waits here, so it may be under way: the same again until it is there.
    let mut looks = std::iter::repeat_with(|| pay("back", "pm_card_visa", "automatic")).take(LOOKS_MAX);
    let paid = looks.find(|payment| payment["status"] == "succeeded").expect("it succeeds in time");
    let refund = json!({"payment": paid["id"], "amount": 500, "reference": "back"});
    let (status, refund) = client.post("/v1/refunds", "refund", &refund);
    assert!(matches!(status, 201 | 202), "{status} {refund}");
}

#[test]
fn whatever_is_made_up_from_the_description_is_answered_as_described() {
    let Some(target) = Target::open() else { return };
    let limits = ["--max-examples", EXAMPLES_MAX, "--generation-deterministic"];
    // Whatever is paused would stop everything after it; and nothing leads there.
    target.attack("everything", &[&limits[..], &["--exclude-operation-id", "pause"]].concat());
    let brakes = ["--include-operation-id", "pause", "--include-operation-id", "resume"];
    target.attack("pause", &[&limits[..], &brakes, &["--phases", "examples,coverage,fuzzing"]].concat());
    target.close();
}

/// For as long as it may, or with twenty times the examples, and others each time.
#[test]
fn soak_whatever_is_made_up_from_the_description_is_answered_as_described() {
    if !is_soaking() {
        return;
    }
    let Some(target) = Target::open() else { return };
    let seconds = soak("QUITTANCE_SOAK_SECONDS").map(|seconds| seconds.to_string());
    let examples = if seconds.is_some() { "1000" } else { "240" };
    let mut words = vec!["--max-examples", examples, "--exclude-operation-id", "pause"];
    if let Some(seconds) = &seconds {
        words.extend(["--max-time", seconds]);
    }
    target.attack("soak", &words);
    target.close();
}
