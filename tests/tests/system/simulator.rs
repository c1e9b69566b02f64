//! A simulator of any vendor in a thread of its own.

use std::collections::BTreeMap;
use std::io;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use milkrun_sandbox::{Control, Sandbox, chanjet, jushuitan, kuaimai, qeasy, yonyou};
use tokio::sync::oneshot;

/// A running simulator; it stops when dropped.
#[derive(Debug)]
pub(crate) struct Simulator {
    /// Where the vendor's interface is.
    pub(crate) url: String,
    pub(crate) control: Control,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Simulator {
    pub(crate) fn tplus(settings: chanjet::Settings) -> Self {
        Self::start(async move || chanjet::start(settings).await)
    }

    pub(crate) fn jushuitan(settings: jushuitan::Settings) -> Self {
        Self::start(async move || jushuitan::start(settings).await)
    }

    pub(crate) fn kuaimai(settings: kuaimai::Settings) -> Self {
        Self::start(async move || kuaimai::start(settings).await)
    }

    pub(crate) fn qeasy(settings: qeasy::Settings) -> Self {
        Self::start(async move || qeasy::start(settings).await)
    }

    pub(crate) fn yonyou(settings: yonyou::Settings) -> Self {
        Self::start(async move || yonyou::start(settings).await)
    }

    fn start(start: impl AsyncFnOnce() -> io::Result<Sandbox> + Send + 'static) -> Self {
        let (tell, told) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let sandbox = start().await.unwrap();
                tell.send((sandbox.url(), sandbox.control())).unwrap();
                // An error means that the handle is gone, which says the same.
                let _ = stopped.await;
                sandbox.stop().await;
            });
        });
        let (url, control) = told.recv().unwrap();
        Self { url, control, stop: Some(stop), thread: Some(thread) }
    }

    /// How many calls of a method have come.
    pub(crate) fn n_calls(&self, method: &str) -> u64 {
        self.control.stats().calls.get(method).copied().unwrap_or(0)
    }

    /// A token or session as it is now.
    pub(crate) fn token(&self, name: &str) -> String {
        self.control.session()[name].as_str().unwrap().to_owned()
    }

    /// How many documents each key made at a target.
    pub(crate) fn documents(&self, target: &str) -> BTreeMap<String, usize> {
        let received = self.control.received(target).unwrap();
        received.into_iter().map(|one| (one.key, one.ids.len())).collect()
    }

    /// Asserts that so many keys came to a target, and made one document each.
    #[track_caller]
    pub(crate) fn assert_one_each(&self, target: &str, n: usize) {
        let documents = self.documents(target);
        let doubled: Vec<_> = documents.iter().filter(|(_, n)| **n != 1).collect();
        assert!(doubled.is_empty(), "not one document each: {doubled:?}");
        assert_eq!(documents.len(), n, "keys at `{target}`");
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        let ended = self.thread.take().unwrap().join();
        if !thread::panicking() {
            ended.unwrap();
        }
    }
}
