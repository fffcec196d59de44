//! Owns: Stripe's own Python client against the sandbox. Does not own: installing it; that is
//! `cargo xtask test`.

use std::path::Path;
use std::process::Stdio;

use quittance_sandbox::Config;
use quittance_surroundings::Peer;
use tokio::process::Command;

use crate::shop::Shop;

#[tokio::test(flavor = "multi_thread")]
async fn the_official_python_client_works() {
    let Some(python) = Peer::Python.find("stripe's python client against the sandbox") else { return };
    let shop = Shop::open(Config::default()).await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/stripe_client.py");
    let output = Command::new(python)
        .arg(script)
        .arg(&shop.base)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .expect("the python named by QUITTANCE_PYTHON starts");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    assert!(out.contains("checks passed"), "{out}");
    println!("stripe python client: {}", out.trim());
}
