//! A small mail server: it takes mails from whoever knows the password, and decodes them.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A mail as it arrived.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mail {
    /// The envelope.
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    headers: Vec<(String, String)>,
    /// The text, decoded.
    pub(crate) body: String,
}

impl Mail {
    /// A header, decoded.
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or_else(|| panic!("no {name} in {self:?}"), |(_, value)| value)
    }
}

/// A running server; it stops when it is dropped.
pub(crate) struct SmtpServer {
    pub(crate) port: u16,
    seen: Arc<Mutex<Seen>>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Seen {
    mails: Vec<Mail>,
    n_auth: usize,
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl SmtpServer {
    pub(crate) async fn start(password: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let own = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                serve(socket, password, &own).await;
            }
        });
        Self { port, seen, task }
    }

    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.seen.lock().unwrap().mails.clone()
    }

    /// Whether somebody sent user and password.
    pub(crate) fn was_greeted_by_name(&self) -> bool {
        self.seen.lock().unwrap().n_auth > 0
    }
}

/// RFC 5321, as far as a client needs it that sends a mail.
async fn serve(socket: TcpStream, password: &str, seen: &Mutex<Seen>) {
    let mut socket = BufReader::new(socket);
    let mut mail = Mail::default();
    let mut is_known = false;
    let mut answer = "220 mail.test ESMTP\r\n";
    loop {
        if socket.get_mut().write_all(answer.as_bytes()).await.is_err() {
            return;
        }
        let Some(line) = line(&mut socket).await else { return };
        let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let address = || rest.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        answer = match verb.to_ascii_uppercase().as_str() {
            "EHLO" => "250-mail.test\r\n250 AUTH PLAIN LOGIN\r\n",
            "AUTH" => {
                seen.lock().unwrap().n_auth += 1;
                let given =
                    rest.strip_prefix("PLAIN ").and_then(|given| STANDARD.decode(given).ok()).unwrap_or_default();
                is_known = given == format!("\0alerts@example.com\0{password}").as_bytes();
                // Some servers repeat what they were given.
                if is_known { "235 good\r\n" } else { "535 5.7.8 bad password pa55word\r\n" }
            }
            "MAIL" if !is_known => "530 5.7.0 who are you?\r\n",
            "MAIL" => {
                mail = Mail { from: address(), ..Mail::default() };
                "250 good\r\n"
            }
            "RCPT" => {
                mail.to.push(address());
                "250 good\r\n"
            }
            "DATA" => {
                if socket.get_mut().write_all(b"354 go on\r\n").await.is_err() {
                    return;
                }
                let mut lines = Vec::new();
                while let Some(line) = line_of_data(&mut socket).await {
                    lines.push(line);
                }
                decode(&mut mail, &lines);
                seen.lock().unwrap().mails.push(mail.clone());
                "250 taken\r\n"
            }
            "QUIT" => "221 bye\r\n",
            _ => "250 good\r\n",
        };
    }
}

async fn line(socket: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    match socket.read_line(&mut line).await {
        Ok(n) if n > 0 => Some(line.trim_end_matches(['\r', '\n']).to_owned()),
        _ => None,
    }
}

/// A line of a mail without its stuffed dot; `None` at the end.
async fn line_of_data(socket: &mut BufReader<TcpStream>) -> Option<String> {
    let line = line(socket).await.filter(|line| line != ".")?;
    Some(line.strip_prefix('.').map_or_else(|| line.clone(), str::to_owned))
}

fn decode(mail: &mut Mail, lines: &[String]) {
    let end = lines.iter().position(String::is_empty).unwrap();
    for line in &lines[..end] {
        // A header goes on in the lines that begin with a space.
        if let Some(more) = line.strip_prefix([' ', '\t']) {
            let (_, value) = mail.headers.last_mut().unwrap();
            value.push(' ');
            value.push_str(more);
        } else {
            let (name, value) = line.split_once(':').unwrap();
            mail.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    for (_, value) in &mut mail.headers {
        *value = words(value);
    }
    let body = lines[end + 1..].join("\r\n");
    let is_base64 = mail.header("content-transfer-encoding") == "base64";
    mail.body = if is_base64 { text(&body.replace("\r\n", "")) } else { body };
}

fn text(base64: &str) -> String {
    String::from_utf8(STANDARD.decode(base64).unwrap()).unwrap()
}

/// RFC 2047: `=?utf-8?b?…?=`; the space between two encoded words is not meant.
fn words(value: &str) -> String {
    let mut decoded = String::new();
    let mut was_encoded = false;
    for word in value.split(' ') {
        let encoded = word.strip_prefix("=?utf-8?b?").and_then(|rest| rest.strip_suffix("?="));
        let is_one_word = was_encoded && encoded.is_some();
        if !decoded.is_empty() && !is_one_word {
            decoded.push(' ');
        }
        decoded.push_str(&encoded.map_or_else(|| word.to_owned(), text));
        was_encoded = encoded.is_some();
    }
    decoded
}
