//! The program that runs unattended: one installation kept open, its runs, and the console.
//!
//! | file | answers |
//! | --- | --- |
//! | `house` | what is kept open, and who has it? |
//! | `loaded`, `watch` | which files are used, and when are they read again? |
//! | `runs`, `live` | what runs now, and how far is it? |
//! | `timetable` | what starts when? |
//! | `pauses` | what becomes of a run that cannot begin? |
//! | `alerts`, `upkeep` | what is wrong, and what is old? |
//! | `program` | how does it begin and end? |
//! | `notify` | what is the service manager told? |

mod alerts;
mod house;
mod live;
mod loaded;
mod notify;
mod pauses;
mod program;
mod runs;
mod timetable;
mod upkeep;
mod watch;

pub(crate) use self::house::House;
pub(crate) use self::loaded::Loaded;
pub(crate) use self::program::serve;
pub(crate) use self::runs::{backfill, begin};
