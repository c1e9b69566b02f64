//! The whole system: the registry walk, the real binary against simulated vendors over HTTP, and the guide.
#![expect(clippy::unwrap_used, reason = "all of this is a test, the helpers too")]

mod console;
mod in_process;
mod init;
mod installation;
mod milkrun;
mod output;
mod place;
mod server;
mod simulator;
mod vendor;

mod alerts;
mod backfill;
mod clients;
mod declared;
mod drift;
mod exact;
mod expiry;
mod faults;
mod first_run;
mod guide;
mod imports;
mod json;
mod kill;
mod login;
mod preview;
mod promises;
mod pushes;
mod quota;
mod registry;
mod scenes;
mod secrets;
mod seeds;
mod serve;
mod served;
mod sign;
mod state;
mod two;
mod upkeep;
