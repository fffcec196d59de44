//! What was heard about records: what is still to be told, and how it is told to other processes.

use crate::ids;
use quittance_store::seal::{Keyring, Place, is_sealed};
use quittance_store::value::Value as Cell;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Records that may wait to be told; with more, everything is forgotten instead.
const UNTOLD_MAX: usize = 10_000;

/// Longest message that is read, in bytes.
const MESSAGE_BYTES_MAX: usize = 16 * 1024;

/// What is to be forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// A record of a pair, by its key or by what tells it apart.
    Record {
        /// The pair's name.
        pair: String,
        /// Its key or its identity.
        word: String,
    },
    /// Everything.
    All,
}

impl News {
    /// As it is sent by a process: sealed where there are keys.
    pub(super) fn encode(&self, from: &str, channel: &str, keys: Option<&Keyring>) -> Vec<u8> {
        let plain = match self {
            Self::Record { pair, word } => json!({"from": from, "pair": pair, "word": word}),
            Self::All => json!({"from": from, "all": true}),
        };
        let plain = plain.to_string().into_bytes();
        match keys {
            Some(keys) => keys.seal(&plain, place(&[channel.into()]), ids::random()),
            None => plain,
        }
    }

    /// As it is heard; none where this process said so itself. What cannot be read may be about anything.
    pub(super) fn decode(message: &[u8], from: &str, channel: &str, keys: Option<&Keyring>) -> Option<Self> {
        let Some(said) = read(message, channel, keys) else { return Some(Self::All) };
        if said["from"] == from {
            return None;
        }
        let word = |name: &str| said[name].as_str().map(str::to_owned);
        Some(match (word("pair"), word("word")) {
            (Some(pair), Some(word)) => Self::Record { pair, word },
            _ => Self::All,
        })
    }
}

fn read(message: &[u8], channel: &str, keys: Option<&Keyring>) -> Option<Value> {
    if message.len() > MESSAGE_BYTES_MAX {
        return None;
    }
    let plain = match keys {
        Some(keys) => keys.open(message, place(&[channel.into()])).ok()?,
        None if is_sealed(message) => return None,
        None => message.to_vec(),
    };
    serde_json::from_slice(&plain).ok()
}

fn place(key: &[Cell]) -> Place<'_> {
    Place { table: "truth", column: "heard", key }
}

/// What was heard here and Redis does not know yet.
#[derive(Debug, Default)]
pub(super) struct Untold {
    records: BTreeMap<(String, String), u64>,
    /// When all of it was last to be forgotten, as the number of what was heard.
    all: Option<u64>,
    last: u64,
}

impl Untold {
    /// Notes what was heard.
    pub(super) fn add(&mut self, pair: &str, word: &str) {
        self.last += 1;
        self.records.insert((pair.to_owned(), word.to_owned()), self.last);
        if self.records.len() > UNTOLD_MAX {
            self.records.clear();
            self.all = Some(self.last);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.records.len() + usize::from(self.all.is_some())
    }

    /// What is to be told next, and the number by which it is settled.
    pub(super) fn next(&self, many: usize) -> Vec<(News, u64)> {
        let all = self.all.map(|no| (News::All, no));
        let record = |((pair, word), no): (&(String, String), &u64)| {
            (News::Record { pair: pair.clone(), word: word.clone() }, *no)
        };
        all.into_iter().chain(self.records.iter().map(record)).take(many).collect()
    }

    /// It is told. What was heard again meanwhile is to be told again.
    pub(super) fn told(&mut self, news: &[(News, u64)]) {
        for (news, no) in news {
            match news {
                News::All => self.all = self.all.filter(|newest| newest != no),
                News::Record { pair, word } => {
                    let place = (pair.clone(), word.clone());
                    if self.records.get(&place) == Some(no) {
                        self.records.remove(&place);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quittance_store::seal::KEY_BYTES;

    fn record(word: &str) -> News {
        News::Record { pair: "pair".to_owned(), word: word.to_owned() }
    }

    #[test]
    fn what_others_say_is_heard_and_what_cannot_be_read_may_be_about_anything() {
        let ring = |byte| Keyring::new(vec![("a".to_owned(), [byte; KEY_BYTES])]).expect("a key");
        for keys in [None, Some(ring(1))] {
            let keys = keys.as_ref();
            for news in [record("sub_1"), News::All] {
                let message = news.encode("one", "c", keys);
                assert_eq!(News::decode(&message, "other", "c", keys), Some(news));
                assert_eq!(News::decode(&message, "one", "c", keys), None);
            }
            let message = record("sub_1").encode("one", "c", Some(&ring(2)));
            assert_eq!(News::decode(&message, "one", "c", keys), Some(News::All));
            for garbage in [&b""[..], b"{}", b"[]", b"{\"pair\": 1}", &[0xff; 9], &[b' '; MESSAGE_BYTES_MAX + 1]] {
                assert_eq!(News::decode(garbage, "other", "c", keys), Some(News::All));
            }
        }
    }

    #[test]
    fn what_is_heard_again_while_it_is_told_is_told_again_and_too_much_is_everything() {
        let mut untold = Untold::default();
        untold.add("pair", "sub_1");
        untold.add("pair", "sub_2");
        let first = untold.next(10);
        assert_eq!(first.len(), 2);
        untold.add("pair", "sub_1");
        untold.told(&first);
        assert_eq!(untold.next(10), [(record("sub_1"), 3)]);
        for no in 0..UNTOLD_MAX {
            untold.add("pair", &format!("cus_{no}"));
        }
        untold.add("pair", "sub_3");
        let next = untold.next(10);
        assert_eq!(next.iter().map(|(news, _)| news.clone()).collect::<Vec<_>>(), [News::All, record("sub_3")]);
        untold.told(&next);
        assert_eq!(untold.len(), 0);
    }
}
