//! What is sent, and what the answers mean.

use std::sync::Arc;

use jiff::Timestamp;
use milkrun_core::token::Token;
use milkrun_core::transport::{Answer, Call, Protocol, Wire};
use milkrun_core::{Context, Error, Record, Result, Rows};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Map, Value};

use crate::config::QeasyConfig;
use crate::error;

/// The way to one Qeasy company.
#[derive(Debug)]
pub(crate) struct Client {
    config: QeasyConfig,
}

/// What every answer is wrapped in; `data` is missing from an error.
#[derive(Deserialize)]
struct Envelope<T> {
    code: i64,
    #[serde(default)]
    message: String,
    data: Option<T>,
}

/// A page of a list.
#[derive(Deserialize)]
struct List<'a> {
    total: Option<u64>,
    #[serde(borrow)]
    list: Rows<'a>,
}

impl Client {
    pub(crate) fn new(config: QeasyConfig) -> Self {
        Self { config }
    }

    /// Asks for one page of a list: its records, the total if there is one, and the answer as it came.
    pub(crate) async fn list(
        &self,
        cx: &Context,
        endpoint: &str,
        parameters: Map<String, Value>,
    ) -> Result<(Vec<Record>, Option<u64>, Arc<String>)> {
        let url = format!("{}{endpoint}", self.config.base_url);
        let answer = cx.call(Call::json(endpoint, &url, Value::Object(parameters).to_string())).await?;
        let envelope: Envelope<List<'_>> = serde_json::from_str(&answer.body).map_err(undocumented)?;
        let list = envelope.data.ok_or_else(|| Error::malformed("the answer has no `data`"))?;
        Ok((list.list.into_records(&answer.body), list.total, answer.body))
    }
}

impl Protocol for Client {
    fn sign(&self, call: &Call, _: Option<&Token>, _: Timestamp) -> Result<Wire> {
        let mut wire = Wire::plain(call);
        wire.headers.push(("x-api-key".to_owned(), self.config.api_key.expose().to_owned()));
        Ok(wire)
    }

    /// Reads the answer to its end, so that one that was cut is found here, where it is asked for again.
    fn classify(&self, _: &Call, answer: &Answer) -> Result<()> {
        answer.http_ok()?;
        match parse::<Envelope<IgnoredAny>>(answer.json()?)? {
            Envelope { code: 0, .. } => Ok(()),
            Envelope { code, message, .. } => Err(error::classify(code, &self.strike_out(&message))),
        }
    }
}

impl Client {
    /// A text of the vendor without the secret that it may repeat.
    fn strike_out(&self, text: &str) -> String {
        text.replace(self.config.api_key.expose(), "***")
    }
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(undocumented)
}

fn undocumented(cause: serde_json::Error) -> Error {
    Error::malformed("the answer is not the documented JSON").caused_by(cause)
}
