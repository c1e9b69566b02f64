//! `bench`: what a record costs, to read and to map, how much of a quota is used, what serving costs at
//! rest, and how big the build is.

mod mapping;
mod quota;
mod read;
mod serve;
mod size;

use crate::Result;
use crate::args::Args;

/// `cargo xtask bench [read | mapping | quota | serve | size]`.
pub(crate) fn main(mut args: Args) -> Result {
    match args.name().as_deref() {
        None | Some("read") => read::main(args),
        Some("mapping") => mapping::main(args),
        Some("quota") => quota::main(args),
        Some("serve") => serve::main(args),
        Some("size") => size::main(args),
        Some(other) => Err(format!("there is no bench `{other}`, only read, mapping, quota, serve and size").into()),
    }
}

/// The middle one of some figures, or the mean of the two in the middle.
fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    match figures.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => figures[n / 2],
        n => f64::midpoint(figures[n / 2 - 1], figures[n / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::float_cmp, reason = "halves are exact")]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0]), 2.5);
        assert!(median(Vec::new()).is_nan());
    }
}
