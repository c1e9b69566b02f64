//! A vendor for tests: it answers calls over HTTP as the test says, and remembers what it was asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use milkrun_core::quota::{Limiter, MemoryQuotaLog, Quota, QuotaSpec};
use milkrun_core::token::{Begin, StoredToken, Token, TokenSource, TokenStore, Vault};
use milkrun_core::transport::{self, Protocol, RetryPolicy, Transport, TransportOptions};
use milkrun_core::{Clock, Context, Result, SystemClock, async_trait};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The parameters of one call.
pub(crate) type Params = BTreeMap<String, String>;

/// A running vendor.
pub(crate) struct Vendor {
    /// Its address.
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Params>>>,
}

impl Vendor {
    /// Starts one that answers with the body that `answer` gives.
    pub(crate) async fn start(answer: impl Fn(&Params) -> String + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/router", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer) = (Arc::clone(&asked), Arc::new(answer));
        tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                tokio::spawn(async move {
                    serve(socket, |params| {
                        let body = answer(&params);
                        seen.lock().unwrap().push(params);
                        body
                    })
                    .await;
                });
            }
        });
        Self { url, asked }
    }

    /// What it was asked so far.
    pub(crate) fn asked(&self) -> Vec<Params> {
        self.asked.lock().unwrap().clone()
    }

    /// How often that method was called.
    pub(crate) fn n_calls(&self, method: &str) -> usize {
        self.asked().iter().filter(|params| params["method"] == method).count()
    }
}

/// Answers one request and closes.
async fn serve(mut socket: TcpStream, answer: impl FnOnce(Params) -> String) {
    let mut request = Vec::new();
    let body = loop {
        let n_bytes = socket.read_buf(&mut request).await.unwrap();
        let text = String::from_utf8_lossy(&request);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_lowercase();
            assert!(head.contains("content-type: application/x-www-form-urlencoded"), "{head}");
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
            if body.len() >= length {
                break body.to_owned();
            }
        }
        assert!(n_bytes > 0, "the request broke off");
    };
    let body = answer(form_urlencoded::parse(body.as_bytes()).into_owned().collect());
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    socket.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
}

/// The surroundings of an account whose vendor answers; the machine's clock starts at `now`.
pub(crate) fn context(protocol: Arc<dyn Protocol>, tokens: Arc<dyn TokenSource>, now: &str) -> Context {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::starting_at(now.parse().unwrap()));
    let quota = QuotaSpec::account(Quota::unlimited());
    let limiter = Limiter::new("km", &quota, Arc::new(MemoryQuotaLog::default()), Arc::clone(&clock));
    let vault = Vault::new("km", Arc::new(Tokens::default()), tokens, Arc::clone(&clock));
    let short = std::time::Duration::from_millis(1);
    let retry = RetryPolicy { attempts: 4, first: short, longest: short };
    let options = TransportOptions { retry, ..TransportOptions::default() };
    let transport = Transport::new(transport::client().unwrap(), protocol, limiter, Some(vault), options);
    Context::new("km", clock, Arc::new(transport))
}

/// A token store for one process and one account.
#[derive(Debug, Default)]
struct Tokens(Mutex<Option<StoredToken>>);

#[async_trait]
impl TokenStore for Tokens {
    async fn load_token(&self, _: &str) -> Result<Option<StoredToken>> {
        Ok(self.0.lock().unwrap().clone())
    }

    async fn begin_renewal(&self, _: &str, _: u64, _: Timestamp, _: std::time::Duration) -> Result<Begin> {
        Ok(Begin::Started { fence: 1, unfinished: false })
    }

    async fn finish_renewal(&self, _: &str, _: u64, token: &Token) -> Result<u64> {
        let mut held = self.0.lock().unwrap();
        let generation = held.as_ref().map_or(1, |held| held.generation + 1);
        *held = Some(StoredToken { generation, token: token.clone() });
        Ok(generation)
    }

    async fn abandon_renewal(&self, _: &str, _: u64, _: bool) -> Result<()> {
        Ok(())
    }
}
