//! The whole system: the registry walk, and the real binary against a simulated Kuaimai over HTTP.
#![expect(clippy::unwrap_used, reason = "all of this is a test, the helpers too")]

mod installation;
mod milkrun;
mod output;
mod vendor;

mod drift;
mod exact;
mod faults;
mod first_run;
mod kill;
mod registry;
mod seeds;
