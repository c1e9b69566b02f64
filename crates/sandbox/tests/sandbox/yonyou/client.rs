//! A client that signs, fetches a token and calls, without a socket.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use milkrun_sandbox::yonyou::{self, Settings};
use milkrun_sandbox::{Carried, Control, InProcess, InProcessAnswer, Outcome, Received};
use serde_json::Value;
use sha2::Sha256;

/// 2026-08-01 12:00:00 in Beijing, where the tests' clocks stand still.
pub(crate) const NOON: i64 = 1_785_556_800;
/// The application of the settings' defaults.
pub(crate) const APP: &str = "41832a3d2df94989b500da6a22268747";
pub(crate) const JSON: [(&str, &str); 1] = [("Content-Type", "application/json;charset=UTF-8")];
pub(crate) const PURCHASE: &str = "/yonbip/scm/purchaseorder/singleSave_v1";
pub(crate) const ORDERS: &str = "/yonbip/scm/purchaseorder/list";

/// Settings for tests: the clock stands still at noon, a day of history, no quotas.
pub(crate) fn settings() -> Settings {
    Settings {
        clock_start: Some(Timestamp::from_second(NOON).unwrap()),
        clock_frozen: true,
        history: Duration::from_hours(20),
        n_documents: 40,
        quota: None,
        finance_quota: None,
        ..Settings::default()
    }
}

pub(crate) fn encode(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// The signature as it is before URL encoding, written anew from the page.
pub(crate) fn signature(secret: &str, fields: &[(&str, &str)]) -> String {
    let mut fields = fields.to_vec();
    fields.sort_unstable();
    let text: String = fields.iter().flat_map(|(name, value)| [*name, *value]).collect();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    let bits = mac.finalize().into_bytes().iter().fold(String::new(), |bits, byte| format!("{bits}{byte:08b}"));
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text: String = bits
        .as_bytes()
        .chunks(6)
        .map(|six| format!("{:0<6}", std::str::from_utf8(six).unwrap()))
        .map(|six| char::from(digits[usize::from_str_radix(&six, 2).unwrap()]))
        .collect();
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

/// One simulator with the token that was fetched last.
pub(crate) struct Client {
    pub(crate) vendor: InProcess,
    pub(crate) token: String,
}

pub(crate) struct Reply {
    pub(crate) answer: InProcessAnswer,
}

impl Reply {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.answer.body).unwrap_or_else(|error| panic!("{error} in {}", self.answer.body))
    }

    /// `code` as text, whatever its type.
    #[track_caller]
    pub(crate) fn code(&self) -> String {
        let json = self.json();
        json["code"].as_str().map_or_else(|| json["code"].to_string(), str::to_owned)
    }

    #[track_caller]
    pub(crate) fn data(&self) -> Value {
        assert!(["200", "0000"].contains(&self.code().as_str()), "{}", self.answer.body);
        self.json()["data"].clone()
    }
}

impl Client {
    /// A simulator and a fresh token.
    pub(crate) fn new(settings: Settings) -> Self {
        let mut client = Self { vendor: yonyou::in_process(settings), token: String::new() };
        client.log_in();
        client
    }

    pub(crate) fn control(&self) -> Control {
        self.vendor.control()
    }

    pub(crate) fn token_query(&self) -> String {
        let now = self.control().now().as_millisecond().to_string();
        let signature = signature("sandbox-app-secret", &[("appKey", APP), ("timestamp", &now)]);
        format!("appKey={APP}&timestamp={now}&signature={}", encode(&signature))
    }

    pub(crate) fn log_in(&mut self) {
        let path = format!("/iuap-api-auth/open-auth/selfAppAuth/base/v1/getAccessToken?{}", self.token_query());
        let reply = self.raw("GET", &path, b"");
        assert_eq!(reply.code(), "00000", "{}", reply.answer.body);
        reply.json()["data"]["access_token"].as_str().unwrap().clone_into(&mut self.token);
    }

    /// One call as it is; nothing may go wrong on the way.
    #[track_caller]
    pub(crate) fn raw(&self, verb: &str, path: &str, body: &[u8]) -> Reply {
        match self.vendor.call(verb, path, &JSON, body).carried {
            Carried::Whole(answer) => Reply { answer },
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn path(&self, path: &str) -> String {
        format!("/iuap-api-gateway{path}?access_token={}", encode(&self.token))
    }

    /// A POST to an interface, given from `/yonbip` on.
    #[track_caller]
    pub(crate) fn post(&self, path: &str, body: &str) -> Reply {
        self.raw("POST", &self.path(path), body.as_bytes())
    }

    pub(crate) fn outcome(&self, path: &str, body: &str) -> Outcome {
        self.vendor.call("POST", &self.path(path), &JSON, body.as_bytes())
    }

    pub(crate) fn received(&self, target: &str) -> Vec<Received> {
        self.control().received(target).unwrap()
    }
}

/// A purchase order with this key and amount.
pub(crate) fn order(key: &str, qty: &str) -> String {
    format!(
        r#"{{"data":{{"resubmitCheckKey":"{key}","_status":"Insert","org_code":"0518","vendor_code":"0001000101",
        "vouchdate":"2026-08-01 00:00:00","exchRate":1,"headItem":{{"define1":"WMS-7781"}},
        "purchaseOrders":[{{"_status":"Insert","product_cCode":"00000002","qty":{qty},"oriSum":12345678901234567890.12345670,"memo":null}}]}}}}"#
    )
}
