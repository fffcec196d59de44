//! A server whose network is cut off from everything else and healed: in a namespace of its own, or, where nobody may make
//! one, behind proxies that stop passing anything on. Does not own what must hold afterwards (`audit`).

use super::{ORDERS, seed, world};
use crate::proxy::Proxy;
use crate::world::{Apart, World};
use quittance_surroundings::skip;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};

/// Which server is cut off.
const SERVER: usize = 3;

/// A network of two ends, one of which is in a namespace of its own; gone when this is dropped.
struct Namespace {
    name: String,
    link: String,
    host: Ipv4Addr,
    guest: Ipv4Addr,
}

impl Namespace {
    /// Nothing where nobody may make one.
    fn make() -> Option<Self> {
        let id = std::process::id();
        let (third, link) = (u8::try_from(id % 250).ok()?, format!("qtnc{}", id % 1_000_000));
        let [host, guest] = [1, 2].map(|last| Ipv4Addr::new(10, 213, third, last));
        let namespace = Self { name: format!("quittance-{id}"), link, host, guest };
        let Self { name, link, .. } = &namespace;
        let peer = format!("{link}p");
        let steps = [
            format!("netns add {name}"),
            format!("link add {link} type veth peer name {peer} netns {name}"),
            format!("addr add {host}/30 dev {link}"),
            format!("link set {link} up"),
            format!("-n {name} addr add {guest}/30 dev {peer}"),
            format!("-n {name} link set {peer} up"),
            format!("-n {name} link set lo up"),
        ];
        steps.iter().all(|step| ip(step)).then_some(namespace)
    }

    fn cut(&self) {
        assert!(ip(&format!("link set {} down", self.link)), "a link can be cut");
    }

    fn heal(&self) {
        assert!(ip(&format!("link set {} up", self.link)), "a link can be healed");
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        ip(&format!("link del {}", self.link));
        ip(&format!("netns del {}", self.name));
    }
}

fn ip(words: &str) -> bool {
    let mut ip = Command::new("ip");
    ip.args(words.split(' ')).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    ip.status().is_ok_and(|status| status.success())
}

/// What a server that is apart sees of the others: proxies, at this address.
fn moved_apart(world: &World, at: Ipv4Addr, prefix: Vec<String>, listen: String) -> (Apart, Vec<Proxy>) {
    let proxy = |to: SocketAddr| Proxy::start(IpAddr::V4(at), to);
    let database = world.postgres().socket();
    let to_database = proxy(database);
    let url = world.postgres().url(&world.database).replace(&database.to_string(), &to_database.address.to_string());
    let to_gateways: Vec<Proxy> = world.gateways.iter().map(|gateway| proxy(gateway.socket())).collect();
    let bases = to_gateways.iter().map(|proxy| format!("http://{}", proxy.address)).collect();
    let proxies = [vec![to_database], to_gateways].concat();
    (Apart { server: SERVER, prefix, listen, url, bases }, proxies)
}

#[test]
fn a_server_that_is_cut_off_and_healed_loses_nothing() {
    let Some(mut world) = world("a server that is cut off from the network", seed()) else { return };
    let namespace = Namespace::make();
    let (at, prefix, listen) = match &namespace {
        Some(namespace) => {
            let prefix = ["ip", "netns", "exec", &namespace.name].map(str::to_owned).to_vec();
            (namespace.host, prefix, format!("{}:0", namespace.guest))
        }
        None => {
            skip(
                "optional: a network that is cut: `ip netns` does not work here; it takes root and the package iproute2; \
                 proxies stopped passing anything on instead",
            );
            (Ipv4Addr::LOCALHOST, vec!["env".to_owned()], "127.0.0.1:0".to_owned())
        }
    };
    let (apart, proxies) = moved_apart(&world, at, prefix, listen);
    world.apart = Some(apart);
    world.servers[SERVER].signal("TERM");
    assert!(world.servers[SERVER].wait().success(), "it ends in order");
    world.start_again(SERVER);
    world.begin();
    world.progress(ORDERS);
    world.tell(&format!("server {SERVER} is cut off"));
    match &namespace {
        Some(namespace) => namespace.cut(),
        None => proxies.iter().for_each(Proxy::hold),
    }
    world.progress(ORDERS);
    // What it holds has to be taken up by the others.
    world.outlast_leases();
    world.tell("it is back");
    match &namespace {
        Some(namespace) => namespace.heal(),
        None => proxies.iter().for_each(Proxy::release),
    }
    world.progress(ORDERS);
    world.judge();
}
