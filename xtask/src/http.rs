//! As much of HTTP as it takes to ask a local server something.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::Result;

/// Fetches `path` from a server such as `127.0.0.1:4000`.
///
/// # Errors
/// If it cannot be reached or answers with anything but 200.
pub(crate) fn get(server: &str, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect(server).map_err(|error| format!("{server}: {error}"))?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    // With HTTP/1.0 the answer ends with the connection and comes in one piece.
    stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: {server}\r\n\r\n").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("the answer has no body")?;
    match head.split(' ').nth(1) {
        Some("200") => Ok(body.to_owned()),
        _ => Err(format!("{server}{path}: {}", head.lines().next().unwrap_or_default()).into()),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    #[test]
    fn an_answer_is_read_to_its_end() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = listener.local_addr().unwrap().to_string();
        let serving = thread::spawn(move || {
            for answer in ["HTTP/1.0 200 OK\r\nA: b\r\n\r\n{\"a\":1}\r\n\r\n", "HTTP/1.0 404 Not Found\r\n\r\nno"] {
                let (mut stream, _) = listener.accept().unwrap();
                let mut asked = [0; 64];
                assert!(stream.read(&mut asked).unwrap() > 0);
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        assert_eq!(get(&server, "/x").unwrap(), "{\"a\":1}\r\n\r\n");
        assert!(get(&server, "/y").unwrap_err().to_string().contains("404 Not Found"));
        serving.join().unwrap();
    }
}
