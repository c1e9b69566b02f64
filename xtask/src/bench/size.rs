//! How big the build is: the number of crates, and the time from nothing.

use std::collections::BTreeSet;
use std::time::Instant;

use crate::Result;
use crate::args::Args;
use crate::installation::{remove, scratch};
use crate::shell::{self, capture, cargo};

/// More crates than this need a reason.
const MOST: usize = 300;

/// `cargo xtask bench size`.
pub(super) fn main(args: Args) -> Result {
    args.finish()?;
    let root = shell::root();
    let mut tree = cargo(&root);
    tree.args(["tree", "--package", "milkrun", "--edges", "normal,build", "--prefix", "none", "--format", "{p}"]);
    let listed = capture(&mut tree)?;
    // A crate that was shown before is marked with a star.
    let crates: BTreeSet<&str> =
        listed.lines().map(|line| line.trim_end_matches(" (*)")).filter(|l| !l.is_empty()).collect();
    println!("crates of the default features (`cargo tree -e normal,build`): {} (at most {MOST})", crates.len());
    let folder = scratch(&root, "cold")?;
    let mut fetch = cargo(&root);
    shell::run(fetch.args(["fetch", "--quiet"]))?;
    let begun = Instant::now();
    let mut build = cargo(&root);
    shell::run(build.args(["build", "--quiet"]).env("CARGO_TARGET_DIR", &folder))?;
    let took = begun.elapsed().as_secs_f64();
    remove(&folder)?;
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    println!("cold `cargo build`, downloads left out: {took:.0} s on {cores} cores");
    if crates.len() > MOST { Err(format!("more than {MOST} crates").into()) } else { Ok(()) }
}
