//! `quittance init`: looks at an application's table and at Stripe, and writes a first configuration from what is there.
//!
//! Owns the order of the steps, the questions and the file. What is proposed is decided in the core, how both sides are
//! looked at and what is written in the server. **Neither side is written, and no file is replaced unasked.**

mod ask;
mod document;
mod place;

use crate::arguments::Global;
use crate::failure::{Exit, Failure};
use crate::output::{self, Format};
use crate::systems;
use anyhow::Context;
use ask::Asker;
use clap::Args;
use place::App;
use quittance_core::propose::Confidence;
use quittance_core::propose::ids::About;
use quittance_server::config::{Config, ConfigErrors, DEFAULT_FILE};
use quittance_server::init::sample::Drawn;
use quittance_server::init::text::{Draft, SystemText, Written, written};
use quittance_server::init::{self, Looked};
use quittance_server::systems::{System, open};
use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What to look at, and where to write.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The application's database: env:NAME or file:PATH (where the address of a PostgreSQL database is), sqlite:FILE,
    /// or csv:FOLDER
    #[arg(long, value_name = "PLACE", value_parser = place::app)]
    app: App,
    /// The table; without it, those that hold ids of Stripe's are listed
    #[arg(long, value_name = "NAME")]
    table: Option<String>,
    /// Where the key of the Stripe account is: env:NAME or file:PATH; a restricted key that may only read suffices
    #[arg(long, value_name = "SECRET", value_parser = place::secret)]
    stripe: String,
    /// Where Stripe is, for a sandbox [default: Stripe itself, api.stripe.com]
    #[arg(long, value_name = "URL")]
    stripe_base: Option<String>,
    /// What of Stripe's the table is about, such as `subscription`; without it, what its ids say
    #[arg(long, value_name = "OBJECT")]
    object: Option<String>,
    /// Name of the pair [default: the object, in the plural]
    #[arg(long, value_name = "NAME")]
    pair: Option<String>,
    /// Replace a configuration that exists
    #[arg(long)]
    force: bool,
    /// Take every guess and ask nothing
    #[arg(long)]
    yes: bool,
}

/// Looks, asks, writes.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> anyhow::Result<ExitCode> {
    let (mut input, mut said) = (io::stdin().lock(), io::stderr());
    let is_asking = !arguments.yes && ask::is_person();
    let mut asker = asker(is_asking, &mut input, &mut said);
    let target = Target::of(arguments, global)?;
    let app_text = place::named("app", arguments.app.settings(), target.known.as_ref());
    let stripe_settings = place::stripe(&arguments.stripe, arguments.stripe_base.as_deref());
    let stripe_text = place::named("stripe", stripe_settings.clone(), target.known.as_ref());
    let mut app = opened("app", "--app", &arguments.app.settings(), global)?;
    let mut stripe = opened("stripe", "--stripe", &stripe_settings, global)?;

    let table = table(arguments, app.as_mut(), &mut asker)?;
    let (drawn, about) = init::table(app.as_mut(), &table).map_err(|error| systems::failure(&app_text.name, error))?;
    let object = object(arguments, &table, about.as_ref(), &mut asker)?;
    let pair = arguments.pair.clone().unwrap_or_else(|| format!("{}s", object.name));
    target.refuse_pair(&pair)?;
    eprintln!(
        "{} rows of `{table}` are kept of {} read; looking at Stripe's {pair}",
        drawn.sample.rows.len(),
        drawn.read
    );
    let mut looked = look(app.as_mut(), &table, stripe.as_mut(), drawn, &object.name)?;
    let authority = ask::settle(&mut looked.proposal, &mut asker);
    let draft = Draft {
        pair: &pair,
        app: &app_text,
        stripe: &stripe_text,
        kind: arguments.app.object_key(),
        table: &table,
        object: &object.name,
        object_guess: object.guess.as_deref(),
        authority: (authority.unwrap_or("right"), authority.is_some()),
        looked: &looked,
    };
    end(&target, &draft, arguments, global)
}

fn asker<'a>(is_asking: bool, input: &'a mut dyn BufRead, output: &'a mut dyn Write) -> Asker<'a> {
    if is_asking { Asker::new(input, output) } else { Asker::silent() }
}

/// The file that is to be written.
struct Target {
    file: PathBuf,
    /// What it says already, unless it is to be replaced.
    known: Option<Config>,
}

impl Target {
    fn of(arguments: &Arguments, global: &Global) -> anyhow::Result<Self> {
        let file = global.config.clone().unwrap_or_else(|| PathBuf::from(DEFAULT_FILE));
        let exists = file.symlink_metadata().is_ok();
        let known = if exists && !arguments.force { Some(Config::load(Some(&file))?) } else { None };
        let target = Self { file, known };
        if let Some(pair) = &arguments.pair {
            target.refuse_pair(pair)?;
        }
        Ok(target)
    }

    fn refuse_pair(&self, pair: &str) -> Result<(), Failure> {
        let has_pair = self.known.as_ref().is_some_and(|config| config.pairs.contains_key(pair));
        if !has_pair {
            return Ok(());
        }
        let what = format!("{} exists and has a pair `{pair}`", self.file.display());
        Err(Failure::new(Exit::Usage, what, "name another with --pair, or replace the whole file with --force"))
    }
}

/// Opens one side.
fn opened(
    name: &str,
    flag: &str,
    settings: &[(&'static str, String)],
    global: &Global,
) -> anyhow::Result<Box<dyn System>> {
    let text = SystemText { name: name.to_owned(), settings: Some(settings.to_vec()) };
    let refused = |errors: ConfigErrors| {
        let mistake = errors.mistakes.into_iter().next();
        let (what, remedy) = mistake.map_or_else(Default::default, |mistake| (mistake.what, mistake.remedy));
        Failure::new(Exit::Usage, format!("{flag}: {what}"), remedy)
    };
    let config = Config::from_text(&quittance_server::init::text::system(&text), &|_| None).map_err(refused)?;
    let system = config.systems.get(name).context("the system is in the text")?;
    let secret = config.system_secret(system).map_err(refused)?;
    Ok(open::open(name, system, secret, &global.data()?).map_err(|error| systems::failure(name, error))?)
}

/// The table: as it was named, or as a person chooses it.
fn table(arguments: &Arguments, app: &mut dyn System, asker: &mut Asker<'_>) -> anyhow::Result<String> {
    let named = match &arguments.app {
        App::Csv(_, Some(file)) => Some(file.clone()),
        _ => None,
    };
    if let Some(table) = arguments.table.clone().or(named) {
        return Ok(table);
    }
    let tables = init::tables(app).map_err(|error| systems::failure("app", error))?;
    let told: Vec<String> = tables
        .iter()
        .map(|(name, about)| match about {
            Some(about) => format!("{name} ({}s, by `{}`)", about.object, about.column),
            None => name.clone(),
        })
        .collect();
    let default = tables.iter().position(|(_, about)| about.is_some());
    if let Some(at) = asker.choose("Which table is compared with Stripe?", &told, default) {
        return Ok(tables[at].0.clone());
    }
    let mut told: Vec<(bool, String)> = tables.iter().map(|(_, about)| about.is_none()).zip(told).collect();
    told.sort();
    let remedy = match told.first() {
        None => "name one with --table NAME".to_owned(),
        Some(_) => {
            let told: Vec<String> = told.into_iter().map(|(_, told)| told).collect();
            format!("name one with --table NAME: {}", told.join(", "))
        }
    };
    Err(Failure::new(Exit::Usage, "no table is named", remedy).into())
}

/// What the table is about.
struct Object {
    name: String,
    /// Why, where it is a guess.
    guess: Option<String>,
}

fn object(arguments: &Arguments, table: &str, about: Option<&About>, asker: &mut Asker<'_>) -> Result<Object, Failure> {
    let known = init::objects();
    if let Some(object) = &arguments.object {
        let is_known = known.contains(&object.as_str());
        let unknown = || {
            let what = format!("--object: `{object}` is nothing that a table can be compared with");
            Failure::new(Exit::Usage, what, format!("known are {}", known.join(", ")))
        };
        return is_known.then(|| Object { name: object.clone(), guess: None }).ok_or_else(unknown);
    }
    let Some(about) = about else {
        let what = format!("no column of `{table}` holds ids of Stripe's, such as sub_… or cus_…");
        let remedy =
            format!("name another table with --table, or what it is about with --object: {}", known.join(", "));
        return Err(Failure::new(Exit::Usage, what, remedy));
    };
    if about.confidence == Confidence::Sure {
        return Ok(Object { name: about.object.clone(), guess: None });
    }
    let mut answers = vec![about.object.clone()];
    answers.extend(about.rivals.iter().cloned());
    let question = format!("What is `{table}` about? {}.", about.evidence);
    if answers.len() > 1
        && let Some(at) = asker.choose(&question, &answers, Some(0))
    {
        return Ok(Object { name: answers[at].clone(), guess: None });
    }
    let mut guess = about.evidence.clone();
    if !about.rivals.is_empty() {
        guess.push_str(&format!("; it may also be about: {} (--object)", about.rivals.join(", ")));
    }
    Ok(Object { name: about.object.clone(), guess: Some(guess) })
}

/// Looks at both sides; what cannot be matched at all is no configuration.
fn look(
    app: &mut dyn System,
    table: &str,
    stripe: &mut dyn System,
    drawn: Drawn,
    object: &str,
) -> anyhow::Result<Looked> {
    let looked = init::look((app, table), stripe, drawn, object).map_err(|error| systems::failure("stripe", error))?;
    if looked.left.sample.rows.is_empty() {
        let what = format!("`{table}` has no rows to learn from");
        return Err(Failure::new(Exit::Usage, what, "name another with --table").into());
    }
    let proposal = &looked.proposal;
    let Some(rule) = proposal.rules.first() else {
        let what = format!("no column of `{table}` tells which {object} of Stripe's a row is about");
        let remedy = "name another table with --table, or another object with --object";
        return Err(Failure::new(Exit::Usage, what, remedy).into());
    };
    if proposal.matched.part == 0 {
        let what = format!("no row of `{table}` is found at Stripe: {}", rule.evidence);
        let remedy = "check that --stripe is the key of the account these ids are of, live or test";
        return Err(Failure::new(Exit::Usage, what, remedy).into());
    }
    Ok(looked)
}

/// Writes and prints.
fn end(target: &Target, draft: &Draft<'_>, arguments: &Arguments, global: &Global) -> anyhow::Result<ExitCode> {
    let written = written(draft);
    check(target, &written)?;
    let next = format!("quittance diff {}", draft.pair)
        + &global.config.as_ref().map_or(String::new(), |file| format!(" --config {}", file.display()));
    let file = target.file.display().to_string();
    let is_new = target.known.is_none();
    if is_new {
        write_file(&target.file, &(header(draft) + &written.text), arguments.force)?;
    }
    let document = document::document(draft, &written, is_new.then_some(file.as_str()), &next);
    match (is_new, global.format()) {
        // Somebody else's file is not ours to change: the section goes where it can be taken from.
        (false, Format::Table) => output::write(&written.text)?,
        (_, format) => document.print(format)?,
    }
    if !is_new {
        eprintln!("{file} exists and was not changed: add what was printed to it, as in");
        eprintln!("  quittance init … >> {file}");
    }
    for guess in &written.guesses {
        eprintln!("guessed: {}", output::plain(guess));
    }
    eprintln!("next: {next}");
    Ok(Exit::Good.into())
}

fn header(draft: &Draft<'_>) -> String {
    let (left, right) = (&draft.looked.left, &draft.looked.right);
    format!(
        "# Proposed by `quittance init` from {} rows of one side and {} of the other. What says \"guessed\" is not certain.\n\
         # `quittance diff {}` compares by it; neither side is ever written by that.\n\n",
        left.sample.rows.len(),
        right.sample.rows.len(),
        draft.pair,
    )
}

/// What is written is read as any configuration is, before it is written.
fn check(target: &Target, written: &Written) -> Result<(), Failure> {
    let before = match &target.known {
        Some(_) => std::fs::read_to_string(&target.file).unwrap_or_default(),
        None => String::new(),
    };
    let text = format!("{before}\n{}", written.text);
    Config::from_text(&text, &|_| None).map(drop).map_err(|errors| {
        Failure::new(Exit::Internal, "the proposal would be refused", "please report this, with the text below")
            .because(format!("{errors}\n{}", written.text))
    })
}

fn write_file(file: &Path, text: &str, may_replace: bool) -> Result<(), Failure> {
    let failed = |error: io::Error| {
        let what = format!("{} cannot be written", file.display());
        Failure::new(Exit::Usage, what, "name a file that can be with --config").because(error)
    };
    if may_replace {
        return std::fs::write(file, text).map_err(failed);
    }
    let mut new = std::fs::OpenOptions::new().write(true).create_new(true).open(file).map_err(failed)?;
    new.write_all(text.as_bytes()).map_err(failed)
}
