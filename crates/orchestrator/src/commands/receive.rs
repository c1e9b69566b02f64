//! `milkrun receive`: an HTTP endpoint for the messages that vendors send by themselves.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, RawQuery, State as Shares};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use milkrun_core::{Context, Error, ErrorKind, PushMessage, PushReceiver};
use serde_json::json;
use tokio::net::TcpListener;

use super::{Failure, Here, Outcome, cannot_listen};
use crate::cli;
use crate::text;
use crate::wiring::{Secrets, open_accounts, open_state};

/// The longest message; the vendors' are a few kilobytes.
const LONGEST: usize = 1 << 20;

/// The accounts whose vendors send messages.
type Receivers = BTreeMap<String, (Arc<dyn PushReceiver>, Context)>;

pub(super) async fn receive(here: Here<'_>, ask: &cli::Receive) -> Outcome {
    let out = here.out;
    let (installation, mut reports) = here.load()?;
    let state = open_state(&installation, here.environment, out.lang).await?;
    let secrets =
        Secrets::Fetched { environment: here.environment, vault: Some(&state.store), scrubber: &out.scrubber };
    let accounts = open_accounts(&installation, |_| true, secrets, out.lang, &mut reports).await?;
    // A mistake in a flow is no reason to miss a message.
    reports.only_flows(&installation.dir, &[]);
    if !reports.is_clean() {
        return Err(Failure::Mistakes(reports));
    }
    let mut receivers = Receivers::new();
    for (name, account) in &accounts {
        if let Some(receiver) = &account.pushes {
            receivers.insert(name.clone(), (Arc::clone(receiver), state.context(name, account)?));
        }
    }
    if receivers.is_empty() {
        let error = Error::config(out.say(text::NOBODY_SENDS));
        return Err(error.advise(out.say(text::NOBODY_SENDS_HELP)).into());
    }
    let taken = |e| cannot_listen(e, ask.listen, out.lang).advise(out.say(text::CHOOSE_ADDRESS));
    let listener = TcpListener::bind(ask.listen).await.map_err(taken)?;
    let address = listener.local_addr()?;
    let addresses: Vec<String> = receivers.keys().map(|name| format!("http://{address}/push/{name}")).collect();
    out.json(&json!({ "addresses": addresses }));
    out.line(out.say(text::RECEIVING_AT));
    for address in &addresses {
        out.line(format!("  {address}"));
    }
    let server = axum::serve(listener, routes(receivers)).with_graceful_shutdown(super::run::asked());
    server.await?;
    Ok(0)
}

/// `POST /push/ACCOUNT`.
fn routes(receivers: Receivers) -> Router {
    Router::new()
        .route("/push/{account}", post(take))
        .layer(DefaultBodyLimit::max(LONGEST))
        .with_state(Arc::new(receivers))
}

async fn take(
    Shares(receivers): Shares<Arc<Receivers>>,
    Path(account): Path<String>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Response {
    let Some((receiver, cx)) = receivers.get(&account) else {
        return (StatusCode::NOT_FOUND, "no such account takes messages\n").into_response();
    };
    let Ok(body) = String::from_utf8(body.to_vec()) else {
        return (StatusCode::BAD_REQUEST, "the message is not UTF-8\n").into_response();
    };
    let message = PushMessage { query: query.unwrap_or_default(), body };
    match receiver.receive(cx, &message).await {
        Ok(reply) => {
            tracing::info!(account, kind = reply.kind, "a message of the vendor was taken");
            ([(header::CONTENT_TYPE, "application/json;charset=UTF-8")], reply.body).into_response()
        }
        Err(error) => {
            tracing::warn!(account, %error, "a message could not be taken");
            // The vendor sends again what was not taken; what is not from it gets no hint.
            let refused = matches!(error.kind(), ErrorKind::Refused | ErrorKind::Malformed);
            let status = if refused { StatusCode::BAD_REQUEST } else { StatusCode::SERVICE_UNAVAILABLE };
            (status, "the message was not taken\n").into_response()
        }
    }
}
