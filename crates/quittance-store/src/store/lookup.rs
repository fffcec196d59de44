//! Things found by the name of a table or index and by values. Owns no order: it cannot be gone through, so that nothing
//! can depend on one.

use crate::value::Value;
use std::collections::HashMap;

/// Things by name and values.
#[derive(Clone, Debug)]
pub struct Lookup<V>(HashMap<&'static str, HashMap<Vec<Value>, V>>);

impl<V> Default for Lookup<V> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<V> Lookup<V> {
    /// What is there.
    #[must_use]
    pub fn get(&self, name: &str, values: &[Value]) -> Option<&V> {
        self.0.get(name)?.get(values)
    }

    /// Puts something, over what was there.
    pub fn put(&mut self, name: &'static str, values: Vec<Value>, thing: V) {
        self.0.entry(name).or_default().insert(values, thing);
    }
}
