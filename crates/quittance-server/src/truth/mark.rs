//! What answers are bound to where they are shared: whose they are, and how they are told.
//!
//! Two servers believe each other where they would have asked the same system, by the same credential, and told the same of what it
//! said. Another installation's pair of the same name has another mark, and so has this one once its fields change. Where a credential is
//! kept, and how patiently it is used, does not matter.

use crate::config::{Auth, Pair, System, Truth};
use crate::data::{Data, Place};
use quittance_core::pair::Which;
use sha2::{Digest, Sha256};

/// The mark of a pair that is asked.
pub(super) fn mark(
    pair: &Pair,
    truth: &Truth,
    system: Option<&System>,
    credential: Option<&str>,
    books: Option<&Data>,
) -> [u8; 32] {
    let side = if truth.side == Which::Left { &pair.left } else { &pair.right };
    let told: Vec<_> = pair.fields.iter().map(|field| (&field.left, &field.right, &field.values)).collect();
    let asked = (truth.side, &side.system, &side.object, &side.updated_at, &pair.rules);
    let place = system.map_or_else(String::new, |system| place(system, books));
    let parts = [env!("CARGO_PKG_VERSION"), &format!("{asked:?}"), &format!("{told:?}"), &place];
    let digests = parts.iter().copied().chain(credential).map(|part| Sha256::digest(part.as_bytes()));
    digests.fold(Sha256::new(), |all, digest| all.chain_update(digest)).finalize().into()
}

/// Where a system is, but for its credential.
fn place(system: &System, books: Option<&Data>) -> String {
    match system {
        System::Postgres { .. } => "postgres".to_owned(),
        System::Sqlite { path, .. } | System::Csv { path, .. } => format!("file {}", path.display()),
        System::Stripe { api_base, .. } => format!("stripe {api_base}"),
        System::Http(api) => {
            let by = match &api.auth {
                Auth::None => String::new(),
                Auth::Bearer(_) => "bearer".to_owned(),
                Auth::Basic(name, _) => format!("basic {name}"),
                Auth::Header(name, _) => format!("header {name}"),
            };
            format!("http {:?} {by} {:?}", api.address, api.objects)
        }
        System::Ledger { data: Some(path), tenant } => format!("ledger {} {tenant:?}", path.display()),
        System::Ledger { data: None, tenant } => {
            let books = books.map_or_else(String::new, |books| match books.place() {
                Place::Directory(path) => path.display().to_string(),
                Place::Postgres(address) => address.expose().to_owned(),
            });
            format!("ledger {books} {tenant:?}")
        }
    }
}
