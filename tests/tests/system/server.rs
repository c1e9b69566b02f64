//! A small HTTP server in a thread of its own, for a vendor that exists as configuration only.

use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

use milkrun_testkit::http::{FixtureServer, Reply, Request};
use tokio::sync::oneshot;

/// A running server; it stops when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) url: String,
    fixture: Arc<FixtureServer>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let (tell, told) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                tell.send(Arc::new(FixtureServer::start(answer).await.unwrap())).unwrap();
                // An error means that the handle is gone, which says the same.
                let _ = stopped.await;
            });
        });
        let fixture = told.recv().unwrap();
        Self { url: fixture.url().to_owned(), fixture, stop: Some(stop), thread: Some(thread) }
    }

    /// The bodies that came to a path, oldest first.
    pub(crate) fn bodies(&self, path: &str) -> Vec<String> {
        self.fixture.requests().into_iter().filter(|request| request.path == path).map(|request| request.body).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        let ended = self.thread.take().unwrap().join();
        if !thread::panicking() {
            ended.unwrap();
        }
    }
}
