//! `milkrun completions`: what a shell needs to complete the command line.

use clap_complete::{Shell, generate};

use super::Here;
use crate::cli;

pub(super) fn completions(here: Here<'_>, shell: Shell) -> u8 {
    let mut script = Vec::new();
    generate(shell, &mut cli::command(here.out.lang), "milkrun", &mut script);
    here.out.print(&String::from_utf8_lossy(&script));
    0
}
