//! What the routes do, one file for each subject.

pub(crate) mod alerts;
pub(crate) mod audit;
pub(crate) mod events;
pub(crate) mod flows;
pub(crate) mod health;
pub(crate) mod installation;
pub(crate) mod letters;
pub(crate) mod mapping;
pub(crate) mod metrics;
pub(crate) mod runs;
pub(crate) mod session;
pub(crate) mod trace;

use axum::{Extension, Json};

use crate::desk::Caller;
use crate::refusal::Refusal;

/// Who asks; the guard has put it there.
pub(crate) type Asking = Extension<Caller>;

/// An answer as JSON, or why there is none.
pub(crate) type Answer<T> = Result<Json<T>, Refusal>;
