//! The binary as others see it: what it prints, how it ends, and what it does to a data directory.

mod backup;
mod bench;
mod charges_flow;
mod cli;
mod containers;
mod customers;
mod demo;
mod diff;
mod diff_orders;
mod diff_peers;
mod disputes;
mod export;
mod failover;
mod find;
mod init;
mod kill;
mod pause;
mod peers;
mod postgres;
mod prune;
mod rail;
mod rail_kill;
mod stateful_mock;
mod support;
mod trace;
mod verify;
