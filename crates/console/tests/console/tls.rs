//! TLS by certificate files. Those of the tests are worth nothing and end in a hundred years.

use std::path::Path;
use std::sync::Arc;

use milkrun_console::serve::Tls;
use milkrun_console::{Access, Role, router, serve};
use milkrun_core::{ErrorKind, SystemClock};
use milkrun_testkit::notes::MemoryNotes;
use reqwest::{Certificate, Client};
use tokio::net::TcpListener;

use crate::desk::TestDesk;
use crate::server::{ZHANG, hash};

fn file(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/console/tls").join(name)
}

fn client(certificate: &str) -> Client {
    let certificate = Certificate::from_pem(&std::fs::read(file(certificate)).unwrap()).unwrap();
    Client::builder().tls_certs_only([certificate]).no_proxy().pool_max_idle_per_host(0).build().unwrap()
}

#[tokio::test]
async fn the_certificate_is_read_again_when_it_changes() {
    let folder = tempfile::tempdir().unwrap();
    let (cert, key) = (folder.path().join("a.pem"), folder.path().join("a.key"));
    let put = |name: &str| {
        std::fs::copy(file(&format!("{name}.key")), &key).unwrap();
        std::fs::copy(file(&format!("{name}.pem")), &cert).unwrap();
    };
    put("one");
    let tls = Tls::open(&cert, &key).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let access = Access::new(address, true).with_user(ZHANG.0, Role::Operator, hash(ZHANG.1));
    let app =
        router(Arc::new(TestDesk::default()), access, Arc::new(MemoryNotes::default()), Arc::new(SystemClock::new()));
    let served = tokio::spawn(serve(listener, app, Some(tls), std::future::pending()));
    let url = format!("https://localhost:{}/api/v1/session", address.port());
    let body = serde_json::json!({ "user": "zhang", "password": "correct horse" });
    let sign_in = |client: Client| {
        client.post(&url).json(&body).header("origin", format!("https://localhost:{}", address.port())).send()
    };
    let response = sign_in(client("one.pem")).await.unwrap();
    assert_eq!(response.status(), 200);
    let cookie = response.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Host-milkrun=") && cookie.contains("; Secure"), "{cookie}");
    assert_eq!(response.headers()["strict-transport-security"], "max-age=31536000");
    assert!(sign_in(client("two.pem")).await.is_err(), "another certificate is not trusted");
    // Files that do not fit together leave the last certificate in force.
    std::fs::write(&cert, "nonsense").unwrap();
    assert_eq!(sign_in(client("one.pem")).await.unwrap().status(), 200);
    put("two");
    assert!(sign_in(client("one.pem")).await.is_err());
    assert_eq!(sign_in(client("two.pem")).await.unwrap().status(), 200);
    served.abort();
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    let (one, key, two) = (file("one.pem"), file("one.key"), file("two.key"));
    for (cert, key, expected) in [
        (&folder.path().join("none.pem"), &key, "the certificate cannot be read"),
        (&empty, &key, "the file has no certificate"),
        (&one, &empty, "the private key cannot be read"),
        (&one, &two, "certificate and private key do not fit together"),
    ] {
        let error = Tls::open(cert, key).unwrap_err();
        assert_eq!((error.kind(), error.message()), (ErrorKind::ConfigInvalid, expected));
        assert!(error.fact("file").is_some());
    }
}
