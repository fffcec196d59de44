//! Questions to the person at the terminal: only what cannot be known from the data, each with an answer that is taken
//! when nothing is said.

use quittance_core::propose::Proposal;
use quittance_core::propose::words::Words;
use std::io::{self, BufRead, IsTerminal, Write};

/// How often a question is asked again when the answer is none of those there are.
const ATTEMPTS: usize = 3;

/// Asks, or takes what is proposed.
pub(super) struct Asker<'a> {
    terminal: Option<(&'a mut dyn BufRead, &'a mut dyn Write)>,
    /// What is asked goes on when the input has ended.
    is_over: bool,
}

impl<'a> Asker<'a> {
    /// Asks nobody.
    pub(super) const fn silent() -> Self {
        Self { terminal: None, is_over: false }
    }

    /// Asks over these.
    pub(super) const fn new(input: &'a mut dyn BufRead, output: &'a mut dyn Write) -> Self {
        Self { terminal: Some((input, output)), is_over: false }
    }

    /// Whether anybody can be asked.
    pub(super) const fn is_asking(&self) -> bool {
        self.terminal.is_some() && !self.is_over
    }

    /// The answer that was chosen; none where nobody chose.
    pub(super) fn choose(&mut self, question: &str, answers: &[String], default: Option<usize>) -> Option<usize> {
        let (input, output) = self.terminal.as_mut().filter(|_| !self.is_over)?;
        let mut text = format!("\n{}\n", crate::output::plain(question));
        for (at, answer) in answers.iter().enumerate() {
            text.push_str(&format!("  {}) {}\n", at + 1, crate::output::plain(answer)));
        }
        let hint = default.map_or(String::new(), |at| format!(" [{}]", at + 1));
        for _ in 0..ATTEMPTS {
            let mut line = String::new();
            let asked = write!(output, "{text}>{hint} ").and_then(|()| output.flush());
            if asked.and_then(|()| input.read_line(&mut line)).unwrap_or(0) == 0 {
                self.is_over = true;
                return None;
            }
            match line.trim() {
                "" => return default,
                said => {
                    let number = said.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
                    let by_name = || answers.iter().position(|answer| answer == said);
                    if let Some(at) = number.filter(|at| *at < answers.len()).or_else(by_name) {
                        return Some(at);
                    }
                }
            }
            text = format!("answer with a number from 1 to {}\n", answers.len());
        }
        None
    }
}

/// Whether a person sits there.
pub(super) fn is_person() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks what the data cannot tell of a proposal, and puts the answers into it. Gives the side that is right, if somebody
/// said so.
pub(super) fn settle(proposal: &mut Proposal, asker: &mut Asker<'_>) -> Option<&'static str> {
    if !asker.is_asking() {
        return None;
    }
    for field in &mut proposal.fields {
        if !field.rivals.is_empty() {
            let question = format!("What is `{}` compared with? These are about as good.", field.left.name);
            let columns = std::iter::once(&*field).chain(&field.rivals);
            let answers: Vec<String> =
                columns.map(|field| format!("{} ({})", field.right.name, field.agreeing)).collect();
            if let Some(at) = asker.choose(&question, &answers, Some(0)) {
                *field = field.clone().said(at.checked_sub(1));
            }
        }
        if let Some(words) = &mut field.words {
            settle_words(words, &field.left.name, &field.right.name, asker);
        }
    }
    let answers = ["Stripe", "the application", "neither: somebody decides each time"].map(str::to_owned);
    let at = asker.choose("When they disagree, who is right? Only repairs will ask.", &answers, Some(0))?;
    Some(["right", "left", "manual"][at])
}

fn settle_words(words: &mut Words, left: &str, right: &str, asker: &mut Asker<'_>) {
    let unsure = words.meanings.iter().filter(|word| word.is_unsure());
    let unsure: Vec<(String, Option<String>)> =
        unsure.map(|word| (word.right.clone(), Some(word.left.clone()))).collect();
    let unseen: Vec<(String, Option<String>)> = words.unseen.iter().map(|word| (word.clone(), None)).collect();
    for (word, guess) in unsure.into_iter().chain(unseen) {
        let mut answers: Vec<String> = words.left_words().into_iter().map(str::to_owned).collect();
        let default = guess.as_ref().and_then(|guess| answers.iter().position(|answer| answer == guess));
        let why = if guess.is_some() { "was hardly seen" } else { "was not seen" };
        let open = answers.len();
        answers.push("leave it open: it differs from everything".to_owned());
        let question = format!("Stripe's `{word}` of `{right}` {why}: what does `{left}` say then?");
        match asker.choose(&question, &answers, default.or(Some(open))) {
            Some(at) if at < open => words.set(&word, &answers[at]),
            Some(_) if guess.is_some() => words.forget(&word),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Asker, settle};
    use quittance_core::pair::Column;
    use quittance_core::propose::fields::Field;
    use quittance_core::propose::share::Share;
    use quittance_core::propose::words::{MappedWord, Words};
    use quittance_core::propose::{Confidence, Proposal};

    fn field(right: &str, words: Option<Words>, rivals: Vec<Field>) -> Field {
        Field {
            left: Column::plain("plan"),
            right: Column::plain(right),
            words,
            agreeing: Share::of(9, 10),
            confidence: Confidence::Unsure,
            evidence: String::new(),
            rivals,
        }
    }

    /// A column with a rival, and one of words of which one was hardly seen and one never.
    fn proposal() -> Proposal {
        let word = |right: &str, left: &str, part, whole| MappedWord {
            right: right.to_owned(),
            left: left.to_owned(),
            seen: Share::of(part, whole),
            is_said: false,
        };
        let words = Words {
            meanings: vec![word("active", "on", 90, 90), word("canceled", "off", 9, 9), word("past_due", "on", 1, 2)],
            unseen: vec!["unpaid".to_owned()],
            strays: Vec::new(),
            agreeing: Share::of(100, 101),
            lambda: 9_000,
        };
        let rivals = vec![field("product", None, Vec::new())];
        let fields = vec![field("price", None, rivals), field("status", Some(words), Vec::new())];
        Proposal { fields, ..Proposal::default() }
    }

    fn settled(typed: &str) -> (Proposal, Option<&'static str>, String) {
        let (mut input, mut output, mut proposal) = (typed.as_bytes(), Vec::new(), proposal());
        let authority = settle(&mut proposal, &mut Asker::new(&mut input, &mut output));
        (proposal, authority, String::from_utf8(output).expect("UTF-8"))
    }

    fn meanings(proposal: &Proposal) -> Vec<String> {
        let words = proposal.fields[1].words.as_ref().expect("words");
        words.meanings.iter().map(|word| format!("{} {}", word.right, word.left)).collect()
    }

    #[test]
    fn what_the_data_cannot_tell_is_asked_and_nothing_else() {
        let (proposal, authority, shown) = settled("2\noff\non\n2\n");
        assert_eq!(shown.matches("\n> ").count(), 4, "{shown}");
        assert_eq!((proposal.fields[0].right.name.as_str(), authority), ("product", Some("left")));
        assert_eq!(proposal.fields[0].confidence, Confidence::Sure);
        assert_eq!(meanings(&proposal), ["active on", "canceled off", "past_due off", "unpaid on"]);
        assert!(proposal.fields[1].words.as_ref().is_some_and(|words| words.unseen.is_empty()));
    }

    #[test]
    fn without_an_answer_the_guess_stays() {
        let (proposed, authority, _) = settled("\n\n\n\n");
        assert_eq!((proposed.fields[0].right.name.as_str(), authority), ("price", Some("right")));
        assert_eq!(meanings(&proposed), ["active on", "canceled off", "past_due on"]);
        let (proposed, authority, _) = settled("");
        assert_eq!((proposed, authority), (proposal(), None), "whoever hangs up has said nothing");
        let (proposed, ..) = settled("1\n3\n3\n1\n");
        assert_eq!(meanings(&proposed), ["active on", "canceled off"], "it is left open");
    }

    /// What was chosen, for each answer that was typed.
    fn chosen(typed: &str, default: Option<usize>) -> (Option<usize>, String) {
        let (mut input, mut output) = (typed.as_bytes(), Vec::new());
        let answers = ["one".to_owned(), "two".to_owned()];
        let at = Asker::new(&mut input, &mut output).choose("Which?", &answers, default);
        (at, String::from_utf8(output).expect("UTF-8"))
    }

    #[test]
    fn an_answer_is_a_number_a_name_or_nothing() {
        for (typed, default, expected) in [
            ("2\n", Some(0), Some(1)),
            ("two\n", Some(0), Some(1)),
            ("\n", Some(0), Some(0)),
            ("\n", None, None),
            ("", Some(0), None),
            ("3\n0\nx\n1\n", Some(0), None),
            ("x\n1\n", None, Some(0)),
        ] {
            assert_eq!(chosen(typed, default).0, expected, "{typed:?}");
        }
        let (_, shown) = chosen("3\n1\n", Some(0));
        assert!(shown.contains("  2) two\n> [1] answer with a number from 1 to 2\n"), "{shown}");
        assert_eq!(Asker::silent().choose("Which?", &[], Some(0)), None);
    }
}
