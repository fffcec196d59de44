//! Runs a command beside a PostgreSQL server of its own: `with-postgres COMMAND …`, where an argument `{url}` becomes the
//! place of an empty database. Ends as the command ends. The server goes with it.

use std::process::{Command, ExitCode};

use quittance_surroundings::Postgres;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((program, rest)) = arguments.split_first() else {
        eprintln!("usage: with-postgres COMMAND [ARGUMENT …]; {{url}} becomes the place of a database");
        return ExitCode::from(2);
    };
    let Some(server) = Postgres::start("a command beside PostgreSQL") else {
        eprintln!("error: PostgreSQL is not on this machine, or QUITTANCE_POSTGRES does not name its programs");
        return ExitCode::from(3);
    };
    let url = server.url(&server.fresh_database());
    let ended = Command::new(program).args(rest.iter().map(|word| word.replace("{url}", &url))).status();
    match ended {
        Ok(status) => ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(5)),
        Err(error) => {
            eprintln!("error: `{program}` cannot be started: {error}");
            ExitCode::from(3)
        }
    }
}
