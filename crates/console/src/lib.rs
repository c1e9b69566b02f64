//! Milkrun in the browser: an HTTP API over an installation, and the page that uses it.
//!
//! The console holds nothing of its own: what it shows and does goes through [`Desk`], which the binary implements, and
//! who is signed in and what was done stands in the installation's [`Notes`].
//!
//! | file | answers |
//! | --- | --- |
//! | [`desk`], [`model`] | what is asked of an installation, and in which form it answers |
//! | `routes` | which routes are there, who may use them, and what is written down of it |
//! | `handlers` | what does each of them do? |
//! | `access` | who is calling, may they, and how are guessers slowed down? |
//! | `refusal`, `extract` | what is said to a request that cannot be served? |
//! | `headers`, `assets` | what does every answer carry, and where does the page come from? |
//! | [`openapi`] | how is the API described to programs? |
//! | [`metrics`] | which figures are there for Prometheus? |
//! | [`serve`](mod@serve) | how is it brought to the network: connections, TLS, the end |

pub mod access;
mod app;
mod assets;
pub mod desk;
mod extract;
mod handlers;
mod headers;
pub mod metrics;
pub mod model;
pub mod openapi;
mod refusal;
mod routes;
pub mod serve;

use std::sync::Arc;

use axum::Router;
use milkrun_core::Clock;
use milkrun_core::notes::Notes;

pub use access::Access;
pub use desk::{Caller, Desk, Lang, Role};
pub use routes::{Need, ROUTES, Route};
pub use serve::serve;

/// The whole console: the API, the page, and the checks in front of them.
pub fn router(desk: Arc<dyn Desk>, access: Access, notes: Arc<dyn Notes>, clock: Arc<dyn Clock>) -> Router {
    routes::router(app::App::new(desk, access, notes, clock))
}
