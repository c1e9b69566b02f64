//! Brings the console to the network: connections, their bounds, and the end.

mod tls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use milkrun_core::{Error, Result};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

pub use self::tls::Tls;
use crate::access::site::Peer;

/// Connections at a time; more wait to be taken.
const MOST_CONNECTIONS: usize = 512;
/// Headers of a request.
const MOST_HEADERS: usize = 64;
/// The longest head of a request in bytes.
const LONGEST_HEAD: usize = 32 << 10;
/// The longest time for the head of a request, and between two requests.
const HEAD_TIME: Duration = Duration::from_secs(30);
/// The longest time for the handshake of TLS.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// The longest time that answers under way have when the console ends.
const LAST_ANSWERS: Duration = Duration::from_secs(5);
/// A pause when the system has no room for a further connection.
const NO_ROOM: Duration = Duration::from_millis(100);

/// Tells streams without an end that the console is about to end.
#[derive(Clone, Debug)]
pub(crate) struct Closing(watch::Receiver<bool>);

impl Closing {
    /// Returns when the console begins to end.
    pub(crate) async fn begun(mut self) {
        // An error means that the server is gone, which is an end too.
        let _ = self.0.wait_for(|closing| *closing).await;
    }
}

/// Serves the router until `shutdown` completes; then answers under way are finished, for five seconds at most.
///
/// # Errors
/// If the listener cannot be used.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    tls: Option<Tls>,
    shutdown: impl Future<Output = ()>,
) -> Result<()> {
    listener.local_addr().map_err(Error::from)?;
    let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let (closes, closing) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let next = async {
            let permit = room.clone().acquire_owned().await.expect("it is never closed");
            (listener.accept().await, permit)
        };
        tokio::select! {
            () = &mut shutdown => break,
            (accepted, permit) = next => match accepted {
                Ok((stream, address)) => {
                    let served = Served { router: router.clone(), closing: Closing(closing.clone()), address };
                    connections.spawn(served.connection(stream, tls.clone(), graceful.watcher(), permit));
                }
                Err(error) => {
                    tracing::debug!(%error, "a connection could not be taken");
                    tokio::time::sleep(NO_ROOM).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    closes.send_replace(true);
    let finished = tokio::time::timeout(LAST_ANSWERS, graceful.shutdown()).await;
    if finished.is_err() {
        tracing::debug!("some answers were not finished");
    }
    connections.shutdown().await;
    Ok(())
}

/// What a connection is served with.
struct Served {
    router: Router,
    closing: Closing,
    address: SocketAddr,
}

impl Served {
    async fn connection(self, stream: TcpStream, tls: Option<Tls>, watcher: Watcher, permit: OwnedSemaphorePermit) {
        // Small answers at once.
        let _ = stream.set_nodelay(true);
        match tls {
            None => self.http(stream, watcher).await,
            Some(tls) => match tokio::time::timeout(HANDSHAKE_TIME, tls.accept(stream)).await {
                Ok(Ok(stream)) => self.http(stream, watcher).await,
                Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                Err(_) => tracing::debug!("a TLS handshake took too long"),
            },
        }
        drop(permit);
    }

    async fn http(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, watcher: Watcher) {
        let Self { router, closing, address } = self;
        let router = TowerToHyperService::new(router);
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(Peer(address));
            request.extensions_mut().insert(closing.clone());
            router.call(request)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIME)
            .max_headers(MOST_HEADERS)
            .max_buf_size(LONGEST_HEAD)
            .serve_connection(TokioIo::new(stream), service);
        if let Err(error) = watcher.watch(connection).await {
            tracing::debug!(%error, "a connection broke off");
        }
    }
}
