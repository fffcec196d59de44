//! The binary as others see it: what it prints, how it ends, and what it does to a data directory.

mod cli;
mod demo;
mod kill;
mod peers;
mod stateful_mock;
mod rail;
mod rail_kill;
mod support;
mod trace;
mod verify;
