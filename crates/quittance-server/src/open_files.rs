//! How many files this process may have open: as many as it is allowed, for each connection is one.

/// Files beside the connections of clients: the store, the log, connections to gateways and to databases.
const FILES_BESIDE: u64 = 512;

/// Raises the limit to what is allowed, and says where that is too little for so many connections.
///
/// **Effects**: changes the process's soft limit of open files (`RLIMIT_NOFILE`).
#[cfg(target_os = "linux")]
pub fn raise(connections_max: usize) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = (connections_max as u64).saturating_add(FILES_BESIDE);
    // Without a limit there is nothing to raise.
    let Some(mut possible) = current else { return };
    if possible < wanted {
        let raised = maximum.map_or(wanted, |maximum| maximum.min(wanted));
        if raised > possible && setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum }).is_ok() {
            possible = raised;
        }
    }
    if possible < wanted {
        tracing::warn!(
            open_files = possible,
            connections_max,
            "fewer files may be open than connections are allowed: raise the limit (ulimit -n, LimitNOFILE), or lower connections_max"
        );
    }
}

/// Other systems are left as they are.
#[cfg(not(target_os = "linux"))]
pub fn raise(_connections_max: usize) {}
