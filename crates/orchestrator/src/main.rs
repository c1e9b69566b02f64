//! The `milkrun` command: command line, configuration, wiring. What it does is in the crates below.

mod cli;
mod commands;
mod config;
mod desk;
mod environment;
mod figures;
mod keyring;
mod logs;
mod serve;
mod show;
#[cfg(feature = "otel")]
mod telemetry;
mod text;
mod upkeep;
mod wiring;

use std::process::ExitCode;

use indicatif::MultiProgress;
// Linked for the connectors that register themselves.
use milkrun_bundle as _;

use crate::commands::Failure;
use crate::environment::Environment;
use crate::show::{Out, Scrubber};
use crate::text::fill;

/// How many threads serve; each costs memory, and vendors are slower than any of them.
const WORKERS: usize = 2;

/// The largest answer whose memory the allocator keeps for the next one.
const KEPT_BY_ALLOCATOR: usize = 4 << 20;

/// Makes the allocator keep the memory of large answers instead of giving it back with each of them.
///
/// glibc raises both of its limits to the largest block that was ever freed (see `M_MMAP_THRESHOLD` in mallopt(3));
/// other allocators do nothing of the kind. Without it, half of the pages that a run touches are fresh from the kernel.
fn warm_up_allocator() {
    drop(std::hint::black_box(Vec::<u8>::with_capacity(KEPT_BY_ALLOCATOR)));
}

fn main() -> ExitCode {
    warm_up_allocator();
    let environment = Environment::of_process();
    let arguments: Vec<String> = std::env::args_os().map(|a| a.to_string_lossy().into_owned()).collect();
    let lang = cli::asked_lang(&arguments).unwrap_or_else(|| environment.lang());
    let parsed = cli::parse(&arguments, lang);
    let global = parsed.as_ref().ok().map(|cli| &cli.global);
    let plain = global.is_some_and(|global| global.no_color) || environment.no_color();
    let out = Out {
        lang,
        json: global.is_some_and(|global| global.json),
        color: environment.out_is_terminal && !plain,
        err_color: environment.err_is_terminal && !plain,
        scrubber: Scrubber::default(),
        bars: MultiProgress::new(),
    };
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => {
            out.usage(&error);
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let hook = out.clone();
    std::panic::set_hook(Box::new(move |info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let message = info.payload_as_str().unwrap_or_default();
        hook.note(fill!(hook.lang, text::PANICKED, place = place, message = message));
    }));
    #[cfg(feature = "otel")]
    let telemetry = match telemetry::Telemetry::of(&cli.global, &out) {
        Ok(telemetry) => telemetry,
        Err(error) => {
            out.error(&error);
            return ExitCode::from(show::exit_code(&error));
        }
    };
    let logs = cli.command.has_installation().then(|| config::logs_of(&commands::dir_of(&cli.global))).flatten();
    let started = logs::start(
        &cli.global,
        logs.as_ref(),
        &out,
        #[cfg(feature = "otel")]
        telemetry.as_ref(),
    );
    if let Err(error) = started {
        out.error(&error);
        return ExitCode::from(show::exit_code(&error));
    }
    // What serves answers while it maps; a single command has nobody to answer.
    let runtime = match cli.command {
        cli::Command::Serve(_) => {
            tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build()
        }
        _ => tokio::runtime::Builder::new_current_thread().enable_all().build(),
    };
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            out.error(&milkrun_core::Error::from(error));
            return ExitCode::FAILURE;
        }
    };
    let outcome = runtime.block_on(commands::execute(cli, &environment, &out));
    #[cfg(feature = "otel")]
    telemetry.into_iter().for_each(telemetry::Telemetry::end);
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(Failure::Error(error)) => {
            out.error(&error);
            ExitCode::from(show::exit_code(&error))
        }
        Err(Failure::Mistakes(reports)) => {
            out.reports(&reports);
            ExitCode::from(2)
        }
    }
}
