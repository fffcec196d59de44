//! Real processes under real failures: servers on one PostgreSQL database, gateways that misbehave, clients that insist, and
//! faults of everything between them. Whatever happens, every command that was acknowledged is there, nothing is charged
//! twice, both sides agree, and each book's history has an order that explains it.
//!
//! How it is used is told in `docs/chaos.md`. It shares with the demonstration what that judges by, and nothing else.

mod audit;
mod checker;
mod client;
mod cluster;
mod demo;
mod faults;
mod gateway;
mod history;
mod installation;
mod listener;
mod load;
mod process;
mod proxy;
mod surroundings;
mod world;
