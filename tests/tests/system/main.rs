//! The whole system: the registry walk, the real binary against a simulated Kuaimai over HTTP, and the guide.
#![expect(clippy::unwrap_used, reason = "all of this is a test, the helpers too")]

mod in_process;
mod installation;
mod milkrun;
mod output;
mod vendor;

mod clients;
mod drift;
mod exact;
mod faults;
mod first_run;
mod guide;
mod json;
mod kill;
mod quota;
mod registry;
mod secrets;
mod seeds;
mod state;
mod two;
