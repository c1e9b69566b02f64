//! The HTTP server: carries calls from sockets to the vendor, and breaks connections where a fault says so.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State as Shares};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::arrival::{BODY_LIMIT, Carriage, Frame, Judged, Shared};
use crate::control::{self, Control};
use crate::vendor::{Answer, Inbound, Vendor};
use crate::wire::{Listener, Switch};

/// A running simulator; it stops when dropped.
#[derive(Debug)]
pub struct Sandbox {
    control: Control,
    address: SocketAddr,
    path: &'static str,
    close: watch::Sender<bool>,
    server: JoinHandle<()>,
}

impl Sandbox {
    /// Address of the vendor's interface, such as `http://127.0.0.1:40123/router`.
    pub fn url(&self) -> String {
        format!("http://{}{}", self.address, self.path)
    }

    /// Address of the control endpoints: `http://127.0.0.1:40123/_sandbox`.
    pub fn control_url(&self) -> String {
        format!("http://{}/_sandbox", self.address)
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// A handle to look at and change the simulator while it runs; it can be cloned and outlives the server.
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Stops: answers calls in work, without their artificial delays, and closes all connections.
    pub async fn stop(self) {
        self.close.send_replace(true);
        // The task ends by itself; a panic in it has been printed already.
        let _ = self.server.await;
    }

    /// Waits until the server ends, which it does only when something else stops it.
    pub async fn wait(self) {
        let _ = self.server.await;
    }
}

/// What the handlers of one server share.
#[derive(Clone)]
struct Service {
    shared: Arc<Shared>,
    closing: watch::Receiver<bool>,
}

impl Service {
    /// Waits, unless the server is being stopped.
    async fn delay(&self, by: Duration) {
        if by.is_zero() {
            return;
        }
        let mut closing = self.closing.clone();
        tokio::select! {
            () = tokio::time::sleep(by) => {}
            _ = closing.wait_for(|closing| *closing) => {}
        }
    }
}

/// Starts a vendor's simulator on `127.0.0.1` in the current tokio runtime.
///
/// # Errors
/// If the port is taken.
pub(crate) async fn start(frame: Frame, vendor: Box<dyn Vendor>) -> io::Result<Sandbox> {
    let path = vendor.path();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, frame.port)).await?;
    let address = listener.local_addr()?;
    let (close, closing) = watch::channel(false);
    let shared = Arc::new(Shared::new(frame, vendor));
    let calls = Router::new().fallback(call).with_state(Service { shared: shared.clone(), closing: closing.clone() });
    let service = control::routes().with_state(shared.clone()).fallback_service(calls);
    let mut closed = closing;
    let server = axum::serve(Listener(listener), service.into_make_service_with_connect_info::<Switch>())
        .with_graceful_shutdown(async move {
            // An error means that the handle is gone, which ends the server too.
            let _ = closed.wait_for(|closing| *closing).await;
        });
    let server = tokio::spawn(async move {
        // Serving ends with the shutdown signal and knows no other error.
        let _ = server.await;
    });
    Ok(Sandbox { control: Control::new(shared), address, path, close, server })
}

/// Serves one call to the vendor's interface.
async fn call(
    Shares(service): Shares<Service>,
    ConnectInfo(switch): ConnectInfo<Switch>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let ways = service.shared.set_out();
    let body = axum::body::to_bytes(body, BODY_LIMIT).await;
    service.delay(ways.there).await;
    let Ok(body) = body else {
        return respond(Answer::html(413, "Request Entity Too Large"));
    };
    let content_type = head.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let text = |value: &HeaderValue| value.to_str().ok().map(str::to_owned);
    let headers: Vec<_> = head.headers.iter().filter_map(|(n, v)| Some((n.as_str().to_owned(), text(v)?))).collect();
    let inbound = Inbound {
        verb: head.method.as_str(),
        path: head.uri.path(),
        query: head.uri.query().unwrap_or_default(),
        content_type,
        headers: &headers,
        body: &body,
    };
    let Judged { answer, carriage, hold } = service.shared.judge(&inbound, ways.back);
    match carriage {
        Carriage::Whole => {}
        Carriage::Reset | Carriage::Lost => switch.reset(),
        Carriage::Cut(bytes) => switch.cut_after(bytes),
    }
    service.delay(hold).await;
    respond(answer)
}

fn respond(answer: Answer) -> Response {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    if let Some(seconds) = answer.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
