//! The `milkrun` command.

fn main() {}
