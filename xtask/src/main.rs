//! Project chores: `cargo xtask help` lists them. It depends on no crate of the workspace, so it builds in seconds.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]

mod api;
mod args;
mod bench;
mod chaos;
mod ci;
mod connector;
mod dice;
mod docs;
mod http;
mod installation;
mod process;
mod shell;
mod time;
mod web;

use std::process::ExitCode;

use crate::args::Args;

/// The result of a chore; the error is a text for the terminal.
type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

const HELP: &str = "\
cargo xtask <chore>

  ci [--only STEP] [--list]   all checks and tests; the last line says how many tests passed
  docs [--check]              writes docs/connectors/ from the registry; --check refuses stale pages
  new-connector NAME          a new connector that compiles, is listed and passes conformance
  bench [read]                CPU and memory for each 100,000 records, beside two floor programs (about 10 minutes)
        [--orders N] [--big N] [--keys N] [--rounds N] [--only VARIANTS] [--whole]
  bench mapping               records mapped per second of CPU, beside a mapper written by hand (about 1 minute)
  bench quota [--seconds N]   calls used of those allowed, over real HTTP (125 s)
  bench serve                 memory and CPU of `milkrun serve` at rest with 200 flows (about 2 minutes)
  bench size                  crates of the default build, and the time of a cold build
  chaos [--kills N] [--orders N] [--seed N] [--release]
                              kills a running flow again and again; nothing may be lost or doubled
";

fn main() -> ExitCode {
    match run(Args::of_process()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut args: Args) -> Result {
    match args.word().as_deref() {
        Some("ci") => ci::main(args),
        Some("docs") => docs::main(args),
        Some("new-connector") => connector::main(args),
        Some("bench") => bench::main(args),
        Some("chaos") => chaos::main(args),
        None | Some("help" | "-h" | "--help") => {
            print!("{HELP}");
            Ok(())
        }
        Some(other) => Err(format!("no chore is called `{other}`; `cargo xtask help` lists them").into()),
    }
}
