//! Puts the parts together: settings become accounts, accounts and files become flows that the engine can run.
//!
//! | file | answers |
//! | --- | --- |
//! | `accounts` | how does an account become a source, a sink and a way to the vendor? |
//! | `alerts` | how do settings become channels that messages go to? |
//! | `console` | who may use the console, and by which certificate? |
//! | `flows` | what has to fit before a flow can run? |
//! | `tables` | where do the values come from that expressions look up? |
//! | `tokens` | which tokens are dead, as runs find out? |
//! | `store` | which key opens the vault, and what is opened with the state? |

mod accounts;
mod alerts;
mod console;
mod flows;
mod store;
mod tables;
mod tokens;

pub(crate) use self::accounts::{Accounts, Secrets, open_accounts};
pub(crate) use self::alerts::open_alerts;
pub(crate) use self::console::{At, open_console};
pub(crate) use self::flows::{Prepared, prepare_flows};
pub(crate) use self::store::{State, has_state, open_state};
pub(crate) use self::tokens::note_tokens;
