//! The files for systemd and Kubernetes, as far as they can be judged without either: what they say to the binary it understands, and
//! what they promise about privileges, secrets and probes they keep.

use crate::support::{Home, bare, end};
use saphyr::{LoadableYamlNode, Yaml};
use serde_json::json;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const MANIFESTS: [&str; 2] = ["ops/kubernetes/postgresql.yaml", "ops/kubernetes/sqlite.yaml"];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// What stands between a word and the quote, the blank or the end of the line behind it, each time.
fn after<'a>(text: &'a str, word: &str) -> BTreeSet<&'a str> {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    lines.flat_map(|line| line.split(word).skip(1)).filter_map(|rest| rest.split(['"', ' ', ':']).next()).collect()
}

/// That these are arguments of the binary, which helps instead of doing what they say.
fn understands(arguments: &[&str]) {
    let home = Home::new();
    let helped = end(&mut bare(&[arguments, &["--help"]].concat(), home.directory.path()));
    assert_eq!(helped.code, 0, "{arguments:?}: {helped:?}");
    assert!(helped.stdout.contains("Usage: quittance serve"), "{arguments:?}: {helped:?}");
    let wrong = end(&mut bare(&[arguments, &["--no-such-option", "--help"]].concat(), home.directory.path()));
    assert_eq!(wrong.code, 2, "it can find something");
}

/// That a configuration has no mistakes, and serves this gateway.
fn serves_stripe(config: &Path) {
    let home = Home::new();
    let config = config.to_str().expect("UTF-8");
    let checked =
        end(&mut bare(&["--config", config, "check-config", "--without-secrets", "--json"], home.directory.path()));
    assert_eq!((checked.code, &checked.json()["gateways"]), (0, &json!(["stripe"])), "{checked:?}");
}

/// The values of a setting of the unit, in order.
fn settings<'a>(unit: &'a str, name: &str) -> Vec<&'a str> {
    unit.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix('=')).collect()
}

#[test]
fn the_unit_says_to_the_binary_what_it_understands_and_gives_it_its_secrets() {
    let (unit, config) = (read("ops/systemd/quittance.service"), read("ops/systemd/quittance.toml"));
    let [command] = settings(&unit, "ExecStart")[..] else { panic!("one command") };
    let words: Vec<&str> = command.split(' ').skip(1).collect();
    understands(&words);
    serves_stripe(&repository().join("ops/systemd/quittance.toml"));
    let loaded: BTreeSet<&str> = after(&unit, "LoadCredential=");
    assert_eq!(after(&config, "/run/credentials/quittance.service/"), loaded);
    assert_eq!(settings(&unit, "StateDirectory"), ["quittance"], "{words:?}");
    assert!(words.contains(&"/var/lib/quittance"), "{words:?}");
    // 2 is a configuration that is wrong; everything else is tried again.
    assert_eq!(settings(&unit, "Restart"), ["on-failure"]);
    assert_eq!(settings(&unit, "RestartPreventExitStatus"), ["2"]);
    for (name, value) in
        [("User", "quittance"), ("NoNewPrivileges", "yes"), ("CapabilityBoundingSet", ""), ("ProtectSystem", "strict")]
    {
        assert_eq!(settings(&unit, name), [value], "{name}");
    }
    assert!(read("ops/systemd/quittance.sysusers").contains("\nu quittance "));
    // What tells that the machine was started anew has to be seen.
    assert!(settings(&unit, "ProcSubset").is_empty());
}

fn at<'a, 'b>(yaml: &'a Yaml<'b>, path: &str) -> &'a Yaml<'b> {
    let step = |yaml: &'a Yaml<'b>, key: &str| match key.parse::<usize>() {
        Ok(index) => yaml.as_vec().and_then(|list| list.get(index)),
        // A name with a slash of its own is written with `~`.
        Err(_) => yaml.as_mapping_get(&key.replace('~', "/")),
    };
    path.split('/').try_fold(yaml, step).unwrap_or_else(|| panic!("no {path}"))
}

fn text<'a>(yaml: &'a Yaml<'_>, path: &str) -> &'a str {
    at(yaml, path).as_str().unwrap_or_else(|| panic!("{path} is no text"))
}

fn names(yaml: &Yaml<'_>, path: &str, key: &str) -> BTreeSet<String> {
    at(yaml, path).as_vec().into_iter().flatten().map(|entry| text(entry, key).to_owned()).collect()
}

#[test]
fn pods_say_to_the_binary_what_it_understands_and_have_no_privileges() {
    for path in MANIFESTS {
        let manifest = read(path);
        let documents = Yaml::load_from_str(&manifest).expect("YAML");
        let of_kind = |kinds: &[&str]| -> Vec<&Yaml<'_>> {
            documents.iter().filter(|document| kinds.contains(&text(document, "kind"))).collect()
        };
        let [workload] = of_kind(&["Deployment", "StatefulSet"])[..] else { panic!("{path}: one workload") };
        let pod = at(workload, "spec/template/spec");
        let container = at(pod, "containers/0");
        let words: Vec<&str> = at(container, "args").as_vec().into_iter().flatten().filter_map(Yaml::as_str).collect();
        understands(&words);
        assert_eq!(text(container, "command/0"), "/usr/local/bin/quittance", "{path}");

        let [config] = of_kind(&["ConfigMap"])[..] else { panic!("{path}: one configuration") };
        let home = Home::new();
        let file = home.directory.path().join("of-the-pod.toml");
        std::fs::write(&file, text(config, "data/quittance.toml")).expect("it can be written");
        serves_stripe(&file);
        // What is read is mounted, and how it is made is said.
        let told = manifest.split("create secret generic").nth(1).expect("how the secret is made");
        for secret in after(text(config, "data/quittance.toml"), "/run/secrets/quittance/") {
            assert!(told.contains(&format!("--from-literal={secret}=")), "{path}: {secret}");
        }
        let mounted = names(container, "volumeMounts", "mountPath");
        assert!(["/etc/quittance", "/run/secrets/quittance", "/tmp"].iter().all(|place| mounted.contains(*place)));

        let is = |yaml: &Yaml<'_>, path: &str, value: bool| assert_eq!(at(yaml, path).as_bool(), Some(value), "{path}");
        is(pod, "securityContext/runAsNonRoot", true);
        is(container, "securityContext/readOnlyRootFilesystem", true);
        is(container, "securityContext/allowPrivilegeEscalation", false);
        assert_eq!(text(container, "securityContext/capabilities/drop/0"), "ALL");
        assert_eq!(text(container, "livenessProbe/httpGet/path"), "/healthz", "a gateway in trouble ends no server");
        assert_eq!(text(container, "readinessProbe/httpGet/path"), "/readyz");

        let label = text(workload, "spec/template/metadata/labels/app.kubernetes.io~name");
        assert_eq!(text(workload, "spec/selector/matchLabels/app.kubernetes.io~name"), label);
        let [service] = of_kind(&["Service"])[..] else { panic!("{path}: one service") };
        assert_eq!(text(service, "spec/selector/app.kubernetes.io~name"), label);
    }
}
