//! A tiny HTTP/1.1 server for tests: a closure answers, every request is remembered, and answers can be spoilt.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// What was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The verb, in capitals.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The decoded query, in order.
    pub query: Vec<(String, String)>,
    /// The headers, their names in lower case, in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Request {
    /// The header of that name, which is given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The parameter of that name, wherever it travels: in the query, in a form, or at the top of a JSON object.
    pub fn param(&self, name: &str) -> Option<String> {
        let of = |pairs: &[(String, String)]| pairs.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone());
        of(&self.query).or_else(|| of(&self.form())).or_else(|| match self.json()?.get(name)? {
            serde_json::Value::String(text) => Some(text.clone()),
            value => Some(value.to_string()),
        })
    }

    /// The parameter of that name as a number.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.param(name)?.parse().ok()
    }

    /// The same request with another value of a parameter, wherever it travels.
    #[must_use]
    pub fn with_param(&self, name: &str, value: &str) -> Self {
        let mut changed = self.clone();
        for (_, old) in changed.query.iter_mut().filter(|(n, _)| n == name) {
            value.clone_into(old);
        }
        if self.is_form() {
            let fields =
                self.form().into_iter().map(|(n, old)| if n == name { (n, value.to_owned()) } else { (n, old) });
            changed.body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        } else if let Some(serde_json::Value::Object(mut fields)) = self.json()
            && let Some(old) = fields.get_mut(name)
        {
            let number = old.is_number().then(|| value.parse::<u64>().ok()).flatten();
            *old = number.map_or_else(|| value.into(), Into::into);
            changed.body = serde_json::Value::Object(fields).to_string();
        }
        changed
    }

    fn is_form(&self) -> bool {
        self.header("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
    }

    fn form(&self) -> Vec<(String, String)> {
        if !self.is_form() {
            return Vec::new();
        }
        form_urlencoded::parse(self.body.as_bytes()).into_owned().collect()
    }

    fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_str(&self.body).ok()
    }
}

/// What is answered.
#[derive(Clone, Debug)]
pub enum Reply {
    /// A whole answer.
    Answer {
        /// The HTTP status.
        status: u16,
        /// Headers beyond the content's length.
        headers: Vec<(String, String)>,
        /// The body.
        body: String,
    },
    /// The connection is reset instead of an answer.
    Abort,
    /// The connection ends in the middle of this body, whose whole length was announced.
    Truncate(String),
    /// The same answer, so much later.
    Late(Duration, Box<Self>),
}

impl Reply {
    /// JSON with HTTP 200.
    pub fn json(body: impl Into<String>) -> Self {
        Self::new(200, "application/json", body)
    }

    /// An HTML page with HTTP 200.
    pub fn html(body: impl Into<String>) -> Self {
        Self::new(200, "text/html", body)
    }

    /// An answer with this status and content type.
    pub fn new(status: u16, content_type: &str, body: impl Into<String>) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self::Answer { status, headers, body: body.into() }
    }

    /// The same answer with one header more; a spoilt answer stays as it is.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }
}

impl From<String> for Reply {
    fn from(body: String) -> Self {
        Self::json(body)
    }
}

impl From<&str> for Reply {
    fn from(body: &str) -> Self {
        Self::json(body)
    }
}

type Handler = dyn Fn(&Request) -> Reply + Send + Sync;

/// A running server; it stops when it is dropped.
pub struct FixtureServer {
    url: String,
    requests: Arc<Mutex<Vec<Request>>>,
    task: JoinHandle<()>,
}

impl fmt::Debug for FixtureServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FixtureServer({})", self.url)
    }
}

impl Drop for FixtureServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl FixtureServer {
    /// Starts a server on a free port of `127.0.0.1` in the current tokio runtime, which needs I/O and time.
    ///
    /// # Errors
    /// If no port is free.
    pub async fn start(handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, handler): (_, Arc<Handler>) = (Arc::clone(&requests), Arc::new(handler));
        let task = tokio::spawn(async move {
            // Dropped with the task, and the connections with it.
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                let (seen, handler) = (Arc::clone(&seen), Arc::clone(&handler));
                // A client that goes away is no matter.
                connections.spawn(async move { drop(serve(socket, &seen, &*handler).await) });
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(Self { url, requests, task })
    }

    /// The address, without a slash at its end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// All requests so far, oldest first.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("no holder panics").clone()
    }

    /// How many requests there were so far.
    pub fn n_requests(&self) -> usize {
        self.requests.lock().expect("no holder panics").len()
    }
}

/// Answers the requests of one connection until it is closed.
async fn serve(mut socket: TcpStream, seen: &Mutex<Vec<Request>>, handler: &Handler) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let mut bytes = Vec::new();
    while let Some(request) = receive(&mut socket, &mut bytes).await? {
        let mut reply = handler(&request);
        let closes = request.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        seen.lock().expect("no holder panics").push(request);
        while let Reply::Late(wait, later) = reply {
            tokio::time::sleep(wait).await;
            reply = *later;
        }
        match reply {
            Reply::Abort | Reply::Late(..) => return socket.set_zero_linger(),
            Reply::Truncate(body) => {
                let half = body.floor_char_boundary(body.len() / 2);
                let head = head(200, &[("content-type".into(), "application/json".into())], body.len().max(1));
                socket.write_all(format!("{head}{}", &body[..half]).as_bytes()).await?;
                return socket.shutdown().await;
            }
            Reply::Answer { status, headers, body } => {
                let head = head(status, &headers, body.len());
                socket.write_all(format!("{head}{body}").as_bytes()).await?;
            }
        }
        if closes {
            return socket.shutdown().await;
        }
    }
    Ok(())
}

fn head(status: u16, headers: &[(String, String)], length: usize) -> String {
    let lines = headers.iter().flat_map(|(name, value)| [name, ": ", value, "\r\n"]).collect::<String>();
    format!("HTTP/1.1 {status} Fixture\r\n{lines}content-length: {length}\r\n\r\n")
}

/// The next request; `None` at the end of the connection. What was read beyond it stays in `bytes`.
async fn receive(socket: &mut TcpStream, bytes: &mut Vec<u8>) -> io::Result<Option<Request>> {
    loop {
        if let Some(head) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let mut request = parse(&String::from_utf8_lossy(&bytes[..head]));
            let length = request.header("content-length").and_then(|n| n.parse().ok()).unwrap_or(0);
            let end = head + 4 + length;
            if bytes.len() >= end {
                request.body = String::from_utf8_lossy(&bytes[head + 4..end]).into_owned();
                bytes.drain(..end);
                return Ok(Some(request));
            }
        }
        if socket.read_buf(bytes).await? == 0 {
            return Ok(None);
        }
    }
}

fn parse(head: &str) -> Request {
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ');
    let method = first.next().unwrap_or_default().to_owned();
    let (path, query) = first.next().map(|at| at.split_once('?').unwrap_or((at, ""))).unwrap_or_default();
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_ascii_lowercase(), value.trim().to_owned()))
    };
    Request {
        method,
        path: path.to_owned(),
        query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers: lines.filter_map(header).collect(),
        body: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn send(socket: &mut TcpStream, text: &str) -> String {
        socket.write_all(text.as_bytes()).await.unwrap();
        let mut bytes = vec![0; 1000];
        let n_bytes = socket.read(&mut bytes).await.unwrap_or(0);
        String::from_utf8_lossy(&bytes[..n_bytes]).into_owned()
    }

    #[tokio::test]
    async fn answers_as_told_and_remembers() {
        let server = FixtureServer::start(|request| match request.path.as_str() {
            "/abort" => Reply::Abort,
            "/cut" => Reply::Truncate("{\"a\":1}".into()),
            _ => Reply::from(format!("{{\"page\":{}}}", request.number("page").unwrap_or(0))).header("x-a", "b"),
        })
        .await
        .unwrap();
        let address = server.url().strip_prefix("http://").unwrap();
        let mut socket = TcpStream::connect(address).await.unwrap();
        let first = send(&mut socket, "GET /a?page=2&q=%E5%8D%95 HTTP/1.1\r\nHost: x\r\n\r\n").await;
        assert!(first.starts_with("HTTP/1.1 200") && first.contains("x-a: b"), "{first}");
        assert!(first.ends_with("\r\n\r\n{\"page\":2}"), "{first}");
        let json = "POST /b HTTP/1.1\r\ncontent-type: application/json\r\nContent-Length: 10\r\n\r\n{\"page\":3}";
        assert!(send(&mut socket, json).await.ends_with("{\"page\":3}"), "the connection is kept");
        let cut = send(&mut socket, "GET /cut HTTP/1.1\r\n\r\n").await;
        assert!(cut.contains("content-length: 7") && cut.ends_with("{\"a"), "{cut}");
        let mut other = TcpStream::connect(address).await.unwrap();
        assert_eq!(send(&mut other, "GET /abort HTTP/1.1\r\n\r\n").await, "");
        let requests = server.requests();
        assert_eq!(requests.len(), 4);
        assert_eq!(requests[0].query[1], ("q".to_owned(), "单".to_owned()));
        assert_eq!((requests[1].method.as_str(), requests[1].body.as_str()), ("POST", "{\"page\":3}"));
        assert_eq!(requests[1].with_param("page", "1").body, "{\"page\":1}");
        assert_eq!(requests[0].with_param("page", "1").number("page"), Some(1));
        drop(server);
    }
}
