//! Looking at an application's table and at Stripe, for a first configuration: what to read, and how to write down what
//! is proposed.
//!
//! Owns the samples ([`sample`]), of bounded size and in a bounded number of requests, and the text of the configuration
//! ([`text`]). What is proposed is decided by [`quittance_core::propose`]; who is asked what it cannot know is the
//! command line's. **Neither side is written.**

pub mod sample;
pub mod text;

use crate::systems::{System, SystemError};
use quittance_connectors::stripe::surface::{ID_PREFIXES, SURFACES, Surface};
use quittance_core::propose::ids::{About, about};
use quittance_core::propose::{Proposal, Vocabulary, propose};
use sample::{Drawn, Limits};

/// Most tables that are looked at when none is named.
const TABLES_MAX: usize = 100;

/// The objects that a table can be compared with.
#[must_use]
pub fn objects() -> Vec<&'static str> {
    SURFACES.iter().map(|surface| surface.object).collect()
}

/// Draws rows of a table, and says what it is about, where its ids say so.
///
/// # Errors
///
/// When there is no such table, or it cannot be read.
pub fn table(app: &mut dyn System, table: &str) -> Result<(Drawn, Option<About>), SystemError> {
    let drawn = sample::table(app, table, Limits::default())?;
    let about = about(&drawn.sample, table, &ID_PREFIXES);
    Ok((drawn, about))
}

/// Every table, with what it is about: a look at the first rows of each. What cannot be read is about nothing.
///
/// # Errors
///
/// When the tables cannot be listed.
pub fn tables(app: &mut dyn System) -> Result<Vec<(String, Option<About>)>, SystemError> {
    let names = app.objects()?;
    let look = |name: String| {
        let drawn = sample::table(app, &name, Limits { rows: 200, read: 200 });
        let found = drawn.ok().and_then(|drawn| about(&drawn.sample, &name, &ID_PREFIXES));
        (name, found)
    };
    Ok(names.into_iter().take(TABLES_MAX).map(look).collect())
}

/// What was seen of both sides, and what is proposed.
#[derive(Debug)]
pub struct Looked {
    /// Rows of the application's table.
    pub left: Drawn,
    /// Stripe's objects.
    pub right: Drawn,
    /// What is proposed.
    pub proposal: Proposal,
}

/// Looks at Stripe's objects of one kind beside a table, and proposes.
///
/// # Errors
///
/// When either cannot be read.
///
/// # Panics
///
/// When `object` is none of [`objects`].
pub fn look(
    (app, table): (&mut dyn System, &str),
    stripe: &mut dyn System,
    mut left: Drawn,
    object: &str,
) -> Result<Looked, SystemError> {
    let surface = Surface::of(object).expect("an object that tables can be compared with");
    let own = sample::own_ids(&left.sample, object);
    let ids = own.as_ref().map_or(&[][..], |own| own.ids.as_slice());
    let right = sample::stripe(stripe, surface, ids)?;
    if let (false, Some(own)) = (right.is_whole, &own) {
        sample::meet((app, table), &mut left, own, &right.sample)?;
    }
    let vocabulary = Vocabulary { prefixes: &ID_PREFIXES, words: surface.words, object };
    let proposal = propose(&left.sample, &right.sample, &vocabulary);
    Ok(Looked { left, right, proposal })
}
