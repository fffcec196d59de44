//! The files from which containers are made, as far as they can be judged without a container: what they name is there, and
//! the binary understands what they say to it.

use crate::support::{Home, bare, end};
use saphyr::{LoadableYamlNode, Yaml};
use serde_json::json;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The instructions of a Containerfile, continued lines as one.
fn instructions(text: &str) -> Vec<(String, String)> {
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let joined = lines.join("\n").replace("\\\n", " ");
    let parts = joined.lines().filter_map(|line| line.trim().split_once(' '));
    parts.map(|(word, rest)| (word.to_owned(), rest.trim().to_owned())).collect()
}

/// The words of an instruction in its JSON form.
fn words(instructions: &[(String, String)], name: &str) -> Vec<String> {
    let (_, text) = instructions.iter().rfind(|(word, _)| word == name).unwrap_or_else(|| panic!("no {name}"));
    let list = &text[text.find('[').unwrap_or_else(|| panic!("{name} goes through a shell, and there is none"))..];
    serde_json::from_str(list).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn the_containerfile_names_what_is_there_and_runs_as_nobody() {
    let instructions = instructions(&read("ops/Containerfile"));
    let of = |name: &str| -> Vec<&str> {
        instructions.iter().filter(|(word, _)| word == name).map(|(_, rest)| rest.as_str()).collect()
    };
    let toolchain: toml::Table = toml::from_str(&read("rust-toolchain.toml")).expect("TOML");
    let version = toolchain["toolchain"]["channel"].as_str().expect("a version");
    assert!(of("FROM")[0].contains(&format!("rust:{version}-")), "{:?} and {version}", of("FROM"));
    for copied in of("COPY").iter().filter(|rest| !rest.contains("--from=")) {
        let source = copied.split(' ').next().expect("a source");
        assert!(repository().join(source).exists(), "{source} is not there");
    }
    let user = *of("USER").last().expect("a user");
    assert!(!user.starts_with('0') && !user.starts_with("root"), "{user}");
    assert!(of("RUN")[0].contains("--locked --profile dist --package quittance"), "{:?}", of("RUN"));
    let manifest: toml::Table = toml::from_str(&read("Cargo.toml")).expect("TOML");
    assert!(manifest["profile"]["dist"].is_table());
    // Whatever is not to be in the image is not sent to whoever builds it.
    let ignored = read(".dockerignore");
    let ignored: BTreeSet<&str> = ignored.lines().collect();
    assert!([".git", "target", "quittance-data", "ops/secrets"].iter().all(|name| ignored.contains(name)));
}

#[test]
fn the_binary_understands_what_the_container_says_to_it() {
    let home = Home::new();
    let instructions = instructions(&read("ops/Containerfile"));
    let config = repository().join("ops/quittance.toml");
    let config = config.to_str().expect("UTF-8");
    let entry = words(&instructions, "ENTRYPOINT");
    assert_eq!(entry[1..], ["--config", "/etc/quittance/quittance.toml", "--data", "/var/lib/quittance"]);
    let checked =
        end(&mut bare(&["--config", config, "check-config", "--without-secrets", "--json"], home.directory.path()));
    assert_eq!((checked.code, &checked.json()["gateways"]), (0, &json!(["stripe"])), "{checked:?}");
    let command = words(&instructions, "CMD");
    assert_eq!(command, ["serve", "--listen", "0.0.0.0:8080"]);
    let health = words(&instructions, "HEALTHCHECK");
    assert_eq!((&health[0], &health[1..3]), (&entry[0], &["healthcheck".to_owned(), "--address".to_owned()][..]));
    let asked = |address: &str| {
        let words: Vec<&str> = health[1..3].iter().map(String::as_str).chain([address, "--json"]).collect();
        end(&mut bare(&words, home.directory.path()))
    };
    let server = home.serve();
    let address = server.base.strip_prefix("http://").expect("a base").to_owned();
    let well = asked(&address);
    assert_eq!((well.code, &well.json()["status"]), (0, &json!("ok")), "{well:?}");
    drop(server);
    let away = asked(&address);
    assert_eq!(away.code, 3, "{away:?}");
    assert!(away.stderr.contains("no answer from") && away.stderr.contains("look whether the server runs"), "{away:?}");
}

/// The names of a mapping; none where there is no mapping.
fn names(yaml: &Yaml<'_>, key: &str) -> BTreeSet<String> {
    let mapping = yaml.as_mapping_get(key).and_then(Yaml::as_mapping);
    mapping.into_iter().flatten().map(|(name, _)| name.as_str().expect("a name").to_owned()).collect()
}

/// The texts of a list.
fn texts(yaml: &Yaml<'_>, key: &str) -> Vec<String> {
    let list = yaml.as_mapping_get(key).and_then(Yaml::as_vec);
    list.into_iter().flatten().map(|text| text.as_str().expect("a text").to_owned()).collect()
}

#[test]
fn compose_publishes_on_this_machine_only_and_uses_what_it_declares() {
    let text = read("ops/compose.yaml");
    let documents = Yaml::load_from_str(&text).expect("YAML");
    let [compose] = &documents[..] else { panic!("one document") };
    let (volumes, secrets) = (names(compose, "volumes"), names(compose, "secrets"));
    let services = compose.as_mapping_get("services").expect("services");
    assert!(!names(compose, "services").is_empty());
    for name in names(compose, "services") {
        let service = services.as_mapping_get(&name).expect("a service");
        for port in texts(service, "ports") {
            assert!(port.starts_with("127.0.0.1:"), "{name}: {port}");
        }
        for volume in texts(service, "volumes") {
            let source = volume.split(':').next().expect("a source");
            let is_there =
                volumes.contains(source) || source.starts_with("./") && repository().join("ops").join(source).exists();
            assert!(is_there, "{name}: {source} is neither a volume nor in ops");
        }
        for secret in texts(service, "secrets") {
            assert!(secrets.contains(&secret), "{name}: {secret}");
        }
        assert!(texts(service, "security_opt").contains(&"no-new-privileges:true".to_owned()), "{name}");
        if let Some(build) = service.as_mapping_get("build") {
            let file = |key: &str| build.as_mapping_get(key).and_then(Yaml::as_str).expect("a path");
            assert!(repository().join("ops").join(file("context")).join(file("dockerfile")).is_file(), "{name}");
        }
    }
    // Each secret that the configuration reads is given to the server.
    let config = read("ops/quittance.toml");
    let read: BTreeSet<&str> =
        config.split("/run/secrets/").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(read, secrets.iter().map(String::as_str).collect());
}
