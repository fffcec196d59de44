//! The numbers of a server that works, judged by Prometheus' own tool.

use crate::support::{Client, Shop};
use quittance_surroundings::Peer;
use std::io::Write;
use std::process::{Command, Stdio};

#[test]
fn promtool_finds_nothing_wrong_with_the_metrics() {
    let Some(promtool) = Peer::Promtool.find("metrics as Prometheus takes them") else { return };
    let shop = Shop::open();
    let metrics = Client::new(&shop.server.base, None).get_text("/metrics");
    assert!(metrics.contains("quittance_gateway_requests_total{") && metrics.contains("# HELP "), "{metrics}");
    let judge = |text: &str| {
        let mut command = Command::new(&promtool);
        command.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("promtool starts");
        child.stdin.take().expect("piped").write_all(text.as_bytes()).expect("it reads");
        let output = child.wait_with_output().expect("it ends");
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (is_good, said) = judge(&metrics);
    assert!(is_good && said.is_empty(), "{said}");
    assert!(!judge("# TYPE quittance_steps counter\nquittance_steps 1\n").0, "it can find something");
}
