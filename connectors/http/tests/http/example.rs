//! The vendor of the README, played by what its page says: the settings on that page read and write through it.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use hmac::{KeyInit, Mac};
use milkrun_core::{ErrorKind, Proof, Receipt, Slice, Window};
use milkrun_testkit::http::{Reply, Request};

use crate::support::{Played, delivery, play, update};

/// The settings of the first block of the README, with secrets in the places of the references.
fn settings() -> String {
    let page = include_str!("../../README.md");
    let block = page.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let block = ["USER", "PASSWORD", "SECRET"].iter().fold(block.to_owned(), |text, name| {
        text.replace(&format!("{{ env = \"ACME_{name}\" }}"), &format!("\"the-{}\"", name.to_lowercase()))
    });
    let installation: toml::Table = block.parse().unwrap();
    let mut account = installation["accounts"]["acme"].as_table().unwrap().clone();
    // What is every account's, and the address of the vendor that is played.
    for own in ["connector", "quota", "base_url"] {
        assert!(account.remove(own).is_some(), "{own}");
    }
    account.to_string()
}

/// What Acme knows of its clients.
#[derive(Default)]
struct Acme {
    /// The request numbers and the documents.
    clients: Vec<(String, String)>,
    n_logins: u32,
    /// The token in use has ended.
    is_old: bool,
}

impl Acme {
    fn answer(&mut self, request: &Request) -> String {
        let wrong = |code: u32, text: &str| format!(r#"{{"code":{code},"msg":"{text}","data":null}}"#);
        if request.path == "/login" {
            let knows = request.body == r#"{"password":"the-password","user":"the-user"}"#;
            self.n_logins += 1;
            self.is_old = false;
            let data = format!(r#"{{"token":"token-{}","seconds":7200}}"#, self.n_logins);
            return if knows { format!(r#"{{"code":0,"data":{data}}}"#) } else { wrong(4000, "who are you") };
        }
        let token = format!("token-{}", self.n_logins);
        if self.is_old || request.header("x-token") != Some(&token) {
            return wrong(4001, "the token is old");
        }
        let time = request.header("x-time").unwrap();
        let mut params: Vec<String> = request.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        params.sort();
        let text = format!("{}\n{}\n{time}", request.path, params.join("&"));
        let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(b"the-secret").unwrap();
        mac.update(text.as_bytes());
        let sign = base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes());
        if request.header("x-sign") != Some(&sign) {
            return wrong(4014, "the signature does not fit");
        }
        let good = |data: &str| format!(r#"{{"code":0,"msg":"","data":{data}}}"#);
        match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/orders") => {
                let (page, size) = (request.number("page").unwrap(), request.number("size").unwrap());
                assert_eq!(request.param("from").as_deref(), Some("2026-08-01 00:00:00"));
                let rows = milkrun_testkit::conformance::rows_of_page(5, page, size);
                let row = |id: u64| {
                    format!(r#"{{"id":{id},"order_no":"O{id}","changed_at":"2026-08-01 00:00:00","amount":0.10}}"#)
                };
                good(&format!(r#"{{"total":5,"rows":[{}]}}"#, rows.map(row).collect::<Vec<_>>().join(",")))
            }
            ("GET", "/warehouses") => good(r#"{"rows":[{"code":"W1"},{"code":"W2"}]}"#),
            ("GET", "/warehouses/W1/stock") => match request.param("after").as_deref() {
                None => good(r#"{"rows":[{"warehouse":"W1","sku":"A","n":"1.50"}],"next":"A"}"#),
                Some("A") => good(r#"{"rows":[{"warehouse":"W1","sku":"B","n":"2"}],"next":null}"#),
                _ => wrong(4220, "after what"),
            },
            ("POST", "/clients") => {
                let no = request.param("request_no").unwrap();
                let at = self.clients.iter().position(|(known, _)| *known == no).unwrap_or_else(|| {
                    self.clients.push((no, request.body.clone()));
                    self.clients.len() - 1
                });
                good(&format!(r#"{{"id":{at}}}"#))
            }
            ("PUT", "/clients/0") => good(r#"{"id":0}"#),
            _ => wrong(4220, "no such thing"),
        }
    }
}

async fn acme() -> (Played, Arc<Mutex<Acme>>) {
    let acme = Arc::<Mutex<Acme>>::default();
    let vendor = Arc::clone(&acme);
    let played = play(&settings(), move |request| Reply::json(vendor.lock().unwrap().answer(request))).await;
    (played, acme)
}

#[tokio::test]
async fn the_readme_reads_its_vendor() {
    let (played, acme) = acme().await;
    let streams = played.opened.source().streams();
    assert!(matches!(streams[0].proof, Proof::Backwards { .. }));
    let window =
        Window { from: "2026-07-31T16:00:00Z".parse().unwrap(), until: "2026-08-01T16:00:00Z".parse().unwrap() };
    let slice = Slice { window: Some(window), ..Slice::default() };
    let orders = played.read("orders", slice.clone(), 2).await.unwrap();
    assert_eq!(orders.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 1]);
    assert!(orders[2][0].contains("0.10"), "every byte stays");
    acme.lock().unwrap().is_old = true;
    assert_eq!(played.read("orders", slice, 200).await.unwrap().concat().len(), 5);
    assert_eq!(acme.lock().unwrap().n_logins, 2, "the token ended in the middle");
    assert_eq!(played.read("warehouses", Slice::default(), 100).await.unwrap().concat().len(), 2);
    let of_one = Slice { partition: Some("W1".to_owned()), ..Slice::default() };
    assert_eq!(played.read("stock", of_one, 100).await.unwrap().len(), 2);
    assert_eq!(played.opened.account.quota.endpoints["GET /warehouses/{warehouse}/stock"].rates[0].calls, 10);
}

#[tokio::test]
async fn the_readme_writes_its_vendor() {
    let (played, acme) = acme().await;
    let one = delivery("client", r#"{"name":"单位","kind":"company"}"#);
    let done = Receipt::Done { remote_id: Some("0".to_owned()) };
    for _ in 0..2 {
        assert_eq!(played.send(std::slice::from_ref(&one)).await.unwrap(), std::slice::from_ref(&done));
    }
    assert_eq!(acme.lock().unwrap().clients.len(), 1, "the second call has no second effect");
    assert_eq!(played.send(&[update("client", r#"{"name":"x"}"#, "0")]).await.unwrap(), [done]);
    let refused = played.send(&[update("client", r#"{"name":"x"}"#, "7")]).await.unwrap();
    assert!(matches!(refused[..], [Receipt::Refused { .. }]), "{refused:?}");
    let sink = played.sink();
    let fields: Vec<&str> = sink.targets()[0].fields.iter().map(|field| field.path.as_str()).collect();
    assert_eq!(fields, ["name", "kind"]);
}

#[tokio::test]
async fn a_wrong_secret_is_said_to_be_about_the_clock_or_the_signature() {
    let settings = settings().replace("the-secret", "another-secret");
    let acme = Mutex::new(Acme::default());
    let played = play(&settings, move |request| Reply::json(acme.lock().unwrap().answer(request))).await;
    let error = played.read("warehouses", Slice::default(), 100).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
    assert_eq!(error.fact("vendor_code"), Some("4014"));
}
