//! Which crate may depend on which, and which outside libraries a crate must never reach, through however many others.
//!
//! Edges are those of normal and build dependencies. For tests a crate may depend on others, with one exception: the sandbox
//! shares no code with what it judges, not even there. What finds peers for tests judges nothing and is judged by nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};
use cargo_metadata::{DependencyKind, Metadata, Package, PackageId};

use super::{Rule, Violation};

/// Each crate of the workspace and the crates of the workspace that it may use. A new line is a design change.
const ALLOWED: &[(&str, &[&str])] = &[
    ("quittance-core", &[]),
    ("quittance-store", &["quittance-core"]),
    ("quittance-sqlite", &["quittance-store", "quittance-core"]),
    ("quittance-postgres", &["quittance-store", "quittance-core"]),
    ("quittance-connectors", &["quittance-core"]),
    ("quittance-engine", &["quittance-core", "quittance-store", "quittance-connectors"]),
    ("quittance-sandbox", &[]),
    (
        "quittance-server",
        &[
            "quittance-core",
            "quittance-store",
            "quittance-sqlite",
            "quittance-postgres",
            "quittance-engine",
            "quittance-connectors",
        ],
    ),
    (
        "quittance",
        &[
            "quittance-core",
            "quittance-store",
            "quittance-sqlite",
            "quittance-postgres",
            "quittance-connectors",
            "quittance-engine",
            "quittance-sandbox",
            "quittance-server",
        ],
    ),
    ("quittance-sim", &["quittance-core", "quittance-store", "quittance-engine", "quittance-connectors"]),
    ("quittance-surroundings", &[]),
    ("xtask", &[]),
];

/// What even the tests of the sandbox may use.
const SURROUNDINGS: &str = "quittance-surroundings";

/// What a crate must not reach by normal dependencies, and why.
const UNREACHABLE: &[(&str, &[&str], &str)] = &[
    (
        "quittance-core",
        &["tokio", "axum", "hyper", "reqwest", "rusqlite", "serde_json"],
        "core does no I/O and knows no wire format",
    ),
    (
        "quittance-store",
        &["tokio", "axum", "hyper", "reqwest", "rusqlite"],
        "store declares rows and knows no database",
    ),
    (
        "quittance-engine",
        &["tokio", "axum", "hyper", "reqwest", "rusqlite"],
        "engine is stepped, without runtime, HTTP or SQL",
    ),
    ("quittance-connectors", &["tokio", "axum", "hyper", "reqwest"], "connectors open no socket"),
];

/// The dependency graph by names, as far as these rules need it.
struct Graph {
    /// Crates of the workspace, with the path of their manifest.
    members: BTreeMap<String, String>,
    /// Edges from a package to another, without those for tests. Two versions of a library are one node.
    edges: BTreeMap<String, BTreeSet<String>>,
    /// Edges for tests, from crates of the workspace.
    test_edges: BTreeMap<String, BTreeSet<String>>,
}

/// Reports edges that the tables do not allow.
pub(crate) fn check(metadata: &Metadata, root: &Path) -> Result<Vec<Violation>> {
    Ok(judge(&graph(metadata, root)?))
}

fn graph(metadata: &Metadata, root: &Path) -> Result<Graph> {
    let packages: BTreeMap<&PackageId, &Package> =
        metadata.packages.iter().map(|package| (&package.id, package)).collect();
    let name = |id: &PackageId| packages.get(id).map_or_else(|| id.repr.clone(), |package| package.name.to_string());
    let mut members = BTreeMap::new();
    for package in metadata.workspace_packages() {
        let manifest = package.manifest_path.as_std_path();
        let manifest = manifest.strip_prefix(root).unwrap_or(manifest);
        members.insert(package.name.to_string(), manifest.display().to_string());
    }
    let mut graph = Graph { members, edges: BTreeMap::new(), test_edges: BTreeMap::new() };
    let resolve = metadata.resolve.as_ref().context("cargo resolved no dependencies")?;
    for node in &resolve.nodes {
        let from = name(&node.id);
        for dependency in &node.deps {
            let to = name(&dependency.pkg);
            for kind in &dependency.dep_kinds {
                let edges = match kind.kind {
                    DependencyKind::Normal => &mut graph.edges,
                    DependencyKind::Build if graph.members.contains_key(&from) => &mut graph.edges,
                    DependencyKind::Development => &mut graph.test_edges,
                    _ => continue,
                };
                edges.entry(from.clone()).or_default().insert(to.clone());
            }
        }
    }
    Ok(graph)
}

fn judge(graph: &Graph) -> Vec<Violation> {
    let mut found = Vec::new();
    for (member, manifest) in &graph.members {
        let mut report = |message: String| {
            found.push(Violation { path: manifest.clone(), line: 1, rule: Rule::Edge, message });
        };
        let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| name == member) else {
            report(format!("`{member}` is not in the table: add it to xtask/src/tidy/edges.rs, with what it may use"));
            continue;
        };
        for to in graph.edges.get(member).into_iter().flatten() {
            if graph.members.contains_key(to) && !allowed.contains(&to.as_str()) {
                report(format!("`{member}` may not depend on `{to}`: it may use [{}]", allowed.join(", ")));
            }
        }
        for (_, banned, reason) in UNREACHABLE.iter().filter(|(name, _, _)| name == member) {
            for library in *banned {
                if let Some(path) = path_between(graph, member, library) {
                    report(format!("reaches `{library}` by {}: {reason}", path.join(" → ")));
                }
            }
        }
        if member == "quittance-sandbox" {
            let used = graph.test_edges.get(member).into_iter().flatten();
            for to in used.filter(|to| graph.members.contains_key(*to) && *to != SURROUNDINGS) {
                report(format!("tests of `{member}` may not depend on `{to}`: it shares no code with what it judges"));
            }
        }
    }
    found
}

/// The shortest way from one package to another, both ends included.
fn path_between(graph: &Graph, from: &str, to: &str) -> Option<Vec<String>> {
    let mut came_from: BTreeMap<&str, &str> = BTreeMap::new();
    let mut waiting = std::collections::VecDeque::from([from]);
    while let Some(package) = waiting.pop_front() {
        if package == to {
            let mut path = vec![to];
            while let Some(before) = path.last().and_then(|last| came_from.get(last)) {
                path.push(before);
            }
            return Some(path.into_iter().rev().map(str::to_owned).collect());
        }
        for next in graph.edges.get(package).into_iter().flatten() {
            if next != from && !came_from.contains_key(next.as_str()) {
                came_from.insert(next, package);
                waiting.push_back(next);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads lines of `a -> b c`; `a => b` is an edge for tests.
    fn check_graph(text: &str) -> Vec<String> {
        let mut graph = Graph { members: BTreeMap::new(), edges: BTreeMap::new(), test_edges: BTreeMap::new() };
        for line in text.lines() {
            let mut words = line.split_whitespace();
            let (from, arrow) = (words.next().unwrap().to_owned(), words.next().unwrap_or("->"));
            if from.starts_with("quittance") {
                graph.members.insert(from.clone(), format!("{from}/Cargo.toml"));
            }
            let edges = if arrow == "->" { &mut graph.edges } else { &mut graph.test_edges };
            edges.entry(from).or_default().extend(words.map(str::to_owned));
        }
        judge(&graph).into_iter().map(|violation| violation.message).collect()
    }

    #[test]
    fn allowed_edges_pass() {
        let text = "quittance-core -> uuid\nquittance-store -> quittance-core\nquittance-store => tokio\nuuid -> serde";
        assert!(check_graph(text).is_empty());
    }

    #[test]
    fn an_edge_against_the_direction_fails() {
        let found = check_graph("quittance-core -> quittance-store\nquittance-store ->");
        assert_eq!(found, ["`quittance-core` may not depend on `quittance-store`: it may use []"]);
    }

    #[test]
    fn a_library_is_reached_through_others() {
        let found = check_graph("quittance-core -> uuid\nuuid -> js\njs -> serde_json uuid");
        assert_eq!(
            found,
            [
                "reaches `serde_json` by quittance-core → uuid → js → serde_json: core does no I/O and knows no wire format"
            ]
        );
    }

    #[test]
    fn the_sandbox_is_alone_even_in_tests() {
        assert_eq!(check_graph("quittance-sandbox => quittance-core\nquittance-core ->").len(), 1);
        assert!(check_graph("quittance-server => quittance-sandbox\nquittance-sandbox ->").is_empty());
    }

    #[test]
    fn surroundings_are_for_tests_and_stand_alone() {
        assert!(check_graph("quittance-sandbox => quittance-surroundings\nquittance-surroundings ->").is_empty());
        assert_eq!(check_graph("quittance-server -> quittance-surroundings\nquittance-surroundings ->").len(), 1);
        assert_eq!(check_graph("quittance-surroundings -> quittance-core\nquittance-core ->").len(), 1);
    }

    #[test]
    fn an_unknown_crate_fails() {
        assert!(check_graph("quittance-extra -> uuid")[0].contains("not in the table"));
    }
}
