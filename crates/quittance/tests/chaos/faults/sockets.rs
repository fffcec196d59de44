//! Connections to PostgreSQL that the kernel destroys under both ends; where the kernel cannot, those that a proxy cuts. Does
//! not own what must hold afterwards (`audit`).

use super::{ORDERS, postgres, seed};
use crate::proxy::Proxy;
use crate::world::World;
use quittance_surroundings::skip;
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;

/// A connection that is destroyed ends at once; one that is not is silent for longer than this.
const SILENCE: Duration = Duration::from_secs(2);

/// Destroys every connection to or from a port of this machine.
fn destroy(port: u16) {
    let filter = format!("( sport = :{port} or dport = :{port} )");
    let output = Command::new("ss").args(["--kill", "--tcp", "--numeric", "state", "established", &filter]).output();
    let output = output.expect("ss runs");
    assert!(output.status.success(), "ss --kill: {output:?}");
}

/// Whether connections can be destroyed here: `ss` has to be there, the kernel has to know `CONFIG_INET_DIAG_DESTROY`, and
/// it takes an administrator.
fn can_destroy() -> bool {
    if Command::new("ss").arg("--version").output().is_err() {
        return false;
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let address = listener.local_addr().expect("an address");
    let mut client = TcpStream::connect(address).expect("it listens");
    let _served = listener.accept().expect("it is there");
    destroy(address.port());
    client.set_read_timeout(Some(SILENCE)).expect("a limit");
    !matches!(client.read(&mut [0]), Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
}

#[test]
fn connections_that_are_destroyed_lose_nothing() {
    let Some(postgres) = postgres("connections to PostgreSQL that are destroyed", &["fsync=off"]) else { return };
    let database = postgres.fresh_database();
    let direct: SocketAddr = postgres.socket();
    let (mut world, proxy) = if can_destroy() {
        (World::open(postgres, seed()), None)
    } else {
        skip(
            "optional: sockets destroyed by the kernel: `ss --kill` does not work here; it takes root and a kernel with \
             CONFIG_INET_DIAG_DESTROY; a proxy cut the connections instead",
        );
        let proxy = Proxy::start(Ipv4Addr::LOCALHOST.into(), direct);
        let url = postgres.url(&database).replace(&direct.to_string(), &proxy.address.to_string());
        (World::open_at(Some(postgres), database, url, seed()), Some(proxy))
    };
    world.begin();
    for _ in 0..3 {
        world.progress(ORDERS);
        match &proxy {
            None => {
                world.tell("the kernel destroys every connection to PostgreSQL");
                destroy(direct.port());
            }
            Some(proxy) => {
                world.tell("a proxy cuts every connection to PostgreSQL");
                proxy.cut();
            }
        }
    }
    world.progress(ORDERS);
    world.judge();
}
