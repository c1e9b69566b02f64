//! What a record costs to map: field rules and expressions beside a mapper written by hand, in one run.

use crate::Result;
use crate::args::Args;
use crate::shell::{self, capture, cargo};

/// The least that field rules do, as a part of what the mapper by hand does.
const LEAST: f64 = 0.5;

/// `cargo xtask bench mapping`.
pub(super) fn main(args: Args) -> Result {
    args.finish()?;
    let root = shell::root();
    let mut speed = cargo(&root);
    speed.args(["run", "--quiet", "--release", "--package", "milkrun-mapping", "--example", "speed"]);
    let printed = capture(&mut speed)?;
    let figure = |name: &str| figure(&printed, name).ok_or_else(|| format!("the program said nothing of {name}"));
    let by_hand = figure("by-hand")?;
    println!(
        "an order of {:.0} bytes with four lines; records per second of CPU, the middle of nine rounds",
        figure("bytes")?
    );
    println!("{:<44} {by_hand:>9.0}", "by hand on serde_json::Value, money as floats");
    for (name, what) in [
        ("rules", "field rules"),
        ("expressions", "an expression for each field"),
        ("transform", "one expression for all"),
    ] {
        let records = figure(name)?;
        println!("{what:<44} {records:>9.0}   {:.2} of it", records / by_hand);
    }
    let part = figure("rules")? / by_hand;
    if part < LEAST { Err(format!("field rules do {part:.2} of it, less than {LEAST}").into()) } else { Ok(()) }
}

/// The figure of a line `name figure`.
fn figure(printed: &str, name: &str) -> Option<f64> {
    printed.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_found_by_name() {
        assert_eq!(figure("bytes 1500\nby-hand 57200\n", "by-hand"), Some(57_200.0));
        assert_eq!(figure("bytes 1500\n", "rules"), None);
    }
}
