//! What happens, as it happens: server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::response::sse::{Event as Sent, Sse};
use futures_util::stream::{self, Stream};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, broadcast};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::access::guard::Ticket;
use crate::app::App;
use crate::model::Event;
use crate::refusal::Refusal;
use crate::serve::Closing;

/// A comment is sent this often, so that proxies keep the connection; and then it is seen whether the session still is.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// A reader of events.
struct Reader {
    app: App,
    ticket: Ticket,
    events: broadcast::Receiver<Event>,
    ticks: tokio::time::Interval,
    closing: Option<Closing>,
    has_begun: bool,
    _permit: OwnedSemaphorePermit,
}

/// What happens from now on. The event `lagged` says that some were left out: then everything has to be loaded again.
#[utoipa::path(
    get, path = "/api/v1/events", tag = "installation",
    responses((status = 200, description = "Server-sent events: `event` is the type, `data` an Event as JSON.",
        body = String, content_type = "text/event-stream")),
)]
pub(crate) async fn events(
    State(app): State<App>,
    Extension(ticket): Extension<Ticket>,
    closing: Option<Extension<Closing>>,
) -> Result<Sse<impl Stream<Item = Result<Sent, Infallible>>>, Refusal> {
    let permit = app.streams.clone().try_acquire_owned();
    let permit = permit.map_err(|_| Refusal::busy_server("too many pages are open at a time"))?;
    let mut ticks = interval_at(Instant::now() + KEEP_ALIVE, KEEP_ALIVE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let events = app.desk.events();
    let closing = closing.map(|Extension(closing)| closing);
    let reader = Reader { app, ticket, events, ticks, closing, has_begun: false, _permit: permit };
    Ok(Sse::new(stream::unfold(reader, next)))
}

async fn next(mut reader: Reader) -> Option<(Result<Sent, Infallible>, Reader)> {
    // At once, so that the browser knows that it is connected.
    if !std::mem::replace(&mut reader.has_begun, true) {
        return Some((Ok(Sent::default().comment("connected").retry(Duration::from_secs(3))), reader));
    }
    let closing = reader.closing.clone();
    let closed = async {
        match closing {
            Some(closing) => closing.begun().await,
            None => std::future::pending().await,
        }
    };
    let sent = tokio::select! {
        () = closed => return None,
        _ = reader.ticks.tick() => {
            if let Ticket::Session(id) = &reader.ticket
                && !reader.app.sessions.is_good(&reader.app.access, id).await.unwrap_or(false)
            {
                return None;
            }
            Sent::default().comment("")
        }
        event = reader.events.recv() => match event {
            Ok(event) => written(&event),
            // The buffer is bounded; who reads slowly has to look at the whole again.
            Err(RecvError::Lagged(n)) => Sent::default().event("lagged").data(n.to_string()),
            Err(RecvError::Closed) => return None,
        },
    };
    Some((Ok(sent), reader))
}

fn written(event: &Event) -> Sent {
    let name = match event {
        Event::Progress { .. } => "progress",
        Event::Started { .. } => "started",
        Event::Ended { .. } => "ended",
        Event::Reloaded { .. } => "reloaded",
        Event::Incident { .. } => "incident",
    };
    let text = serde_json::to_string(event).expect("plain data can be written");
    Sent::default().event(name).data(text)
}
