//! `milkrun receive`: a store application lives by what its vendor pushes, and nothing that is not from it gets in.

use milkrun_sandbox::chanjet;

use crate::milkrun::Running;
use crate::place::Place;
use crate::simulator::Simulator;

const MESSAGES: &str = "vErY-sEcReT-mSgS";
const USER: &str = "vErY-sEcReT-uSeR";

fn settings(message_secret: &str) -> chanjet::Settings {
    chanjet::Settings {
        n_inventory: 5,
        n_vouchers: 3,
        app_secret: "vErY-sEcReT-aPp".to_owned(),
        app_ticket: "vErY-sEcReT-tIcKeT".to_owned(),
        user_permanent_code: USER.to_owned(),
        message_secret: message_secret.to_owned(),
        ..chanjet::Settings::default()
    }
}

/// A simulated T+, and an installation with an account `erp` of a store application.
fn start() -> (Simulator, Place) {
    let settings = settings(MESSAGES);
    let vendor = Simulator::tplus(settings.clone());
    let place = Place::new(&format!(
        "[accounts.erp]\nconnector = \"chanjet-tplus\"\ngrant = \"store-app\"\nbase_url = \"{}\"\napp_key = \"{}\"\n\
         app_secret = {{ env = \"APP\" }}\nmessage_secret = {{ env = \"MESSAGES\" }}\n\
         user_auth_permanent_code = {{ env = \"USER_CODE\" }}\n",
        vendor.url, settings.app_key
    ));
    let place = place.watching(&vendor.control).hides(&settings.app_ticket);
    let place = place.secret("APP", &settings.app_secret).secret("MESSAGES", MESSAGES).secret("USER_CODE", USER);
    (vendor, place)
}

/// Starts `milkrun receive` on a free port; the address of the account.
fn receive(place: &Place) -> (Running, String) {
    let mut process = place.start(&["receive", "--listen", "127.0.0.1:0"]);
    let mut address = None;
    let runs = process.until_written(|written| {
        address = written.lines().find(|line| line.contains("/push/erp")).map(|line| line.trim().to_owned());
        address.is_some()
    });
    assert!(runs, "it ended: {}", process.written());
    (process, address.unwrap())
}

/// Posts a message; the status and the answer.
fn post(address: &str, body: impl Into<reqwest::Body>) -> (u16, String) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = client.post(address).header("content-type", "application/json").body(body).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    })
}

#[test]
fn a_store_application_lives_by_its_vendors_pushes() {
    let (vendor, place) = start();
    let before = place.milkrun(&["check"]);
    assert_ne!(before.code, Some(0), "{before}");
    let said = before.out.clone() + &before.said();
    assert!(said.contains("milkrun receive") && said.contains("/push/erp"), "{before}");

    let (process, address) = receive(&place);
    let pushes = vendor.control.pushes();
    assert!(pushes.len() >= 2, "a ticket and a temporary code");
    for push in &pushes {
        assert_eq!(post(&address, push.clone()), (200, r#"{"result":"success"}"#.to_owned()));
    }
    // While it listens, other processes work with what has come.
    place.milkrun(&["check"]).with(0);
    vendor.control.kill_session();
    place.milkrun(&["check"]).with(0);

    // The vendor sends the same again, and a new ticket, which ends the one before.
    for push in pushes.iter().chain(&vendor.control.pushes()) {
        assert_eq!(post(&address, push.clone()).0, 200);
    }
    process.interrupt();
    process.wait().with(0);
    vendor.control.kill_session();
    place.milkrun(&["check"]).with(0);
}

#[test]
fn what_is_not_from_the_vendor_is_refused() {
    let (vendor, place) = start();
    let (mut process, address) = receive(&place);
    let forger = Simulator::tplus(settings("fOrGeD-sEcReT-16"));
    let forged = forger.control.pushes();
    let real = vendor.control.pushes();
    for push in &real {
        assert_eq!(post(&address, push.clone()).0, 200);
    }
    place.milkrun(&["check"]).with(0);
    let torn = &real[0][..real[0].len() / 2];
    for (what, body, status) in [
        ("forged", forged[0].clone().into_bytes(), 400),
        ("torn", torn.as_bytes().to_vec(), 400),
        ("no JSON", b"hello".to_vec(), 400),
        ("empty", Vec::new(), 400),
        ("nothing encrypted", br#"{"msgType":"APP_TICKET","bizContent":{"appTicket":"t"}}"#.to_vec(), 400),
        ("no Base64", br#"{"encryptMsg":"%%%"}"#.to_vec(), 400),
        ("not UTF-8", vec![b'{', 0xff, 0xfe, b'}'], 400),
        ("oversized", vec![b'x'; (1 << 20) + 1], 413),
    ] {
        let (answered, text) = post(&address, body);
        assert_eq!(answered, status, "{what}: {text}");
        assert!(!text.contains("success"), "{what}: {text}");
    }
    let other = address.replace("/push/erp", "/push/other");
    assert_eq!(post(&other, real[0].clone()).0, 404, "no such account");
    assert_eq!(post(&address.replace("/push/erp", "/"), "").0, 404);
    // None of them has spoilt what the vendor sent.
    vendor.control.kill_session();
    place.milkrun(&["check"]).with(0);
    assert!(!process.has_ended(), "it still listens");
    process.interrupt();
    let ended = process.wait().with(0);
    assert!(ended.log("WARN").len() >= 6, "what was refused is in the log: {ended}");
}

#[test]
fn where_nobody_pushes_it_says_so() {
    let place = Place::new("[accounts.files]\nconnector = \"file\"\nfolder = \"out\"\n");
    let ended = place.milkrun(&["receive"]).with(2);
    assert!(ended.said().contains("message_secret"), "{ended}");
}
