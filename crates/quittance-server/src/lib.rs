//! HTTP API, webhooks, and the drivers that own sockets, clocks and threads.
//!
//! A [`runtime::Runtime`] steps the engine on one thread, carries its jobs out against the gateways and tells waiting
//! requests what became of their commands; [`api`] speaks HTTP through a [`runtime::Handle`]; [`serve`] puts both
//! together. Operators' commands come in over a local socket ([`admin`]) or, where no server runs, through
//! [`operate`].
//!
//! **The server decides nothing about money: it never judges an answer, never sends a request that the engine did not
//! hand out with its ticket committed, never sends one twice, and never answers a client before the store has
//! committed.** The clock is read in [`clock`] alone, randomness is drawn in [`ids`] alone, the environment is read in
//! [`config`] alone.

pub mod admin;
pub mod alerts;
pub mod audit;
pub mod backup;
pub mod clock;
pub mod config;
mod connections;
mod dashboard;
pub mod data;
pub mod diff;
mod entries;
pub mod export;
pub mod find;
pub mod ids;
pub mod init;
pub mod metrics;
pub mod open_files;
pub mod operate;
mod outgoing;
mod parked;
pub mod reconcile;
mod repairs;
pub mod roles;
pub mod runtime;
pub mod serve;
mod switches;
pub mod systems;
mod tls;
pub mod transport;
mod truth;

// The HTTP API.
pub mod api;
mod auth;
pub mod caps;
mod json;
pub mod openapi;
pub mod problem;
pub mod render;
pub mod schemas;
