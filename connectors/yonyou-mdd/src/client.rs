//! The way to one tenant: where its data centre is, what is sent, and what the answers mean.

use std::collections::BTreeMap;
use std::sync::Mutex;

use jiff::Timestamp;
use milkrun_core::record::{Pairs, plain_text};
use milkrun_core::secret::strike_out;
use milkrun_core::token::Token;
use milkrun_core::transport::{Answer, Body, Call, Protocol, Verb, Wire};
use milkrun_core::{Context, Error, ErrorKind, Result, Secret};
use tokio::sync::OnceCell;

use crate::config::{YonyouConfig, is_address};
use crate::envelope::{self, Envelope};
use crate::error;
use crate::token::{self, TOKEN};

/// The name of the call for the tenant's data centre, for quotas and logs.
const DISCOVERY: &str = "getGatewayAddress";
/// The success of the call for the data centre and of that for a token.
const AUTH_SUCCESS: [&str; 1] = ["00000"];

/// Where one tenant's data centre is.
#[derive(Debug)]
pub(crate) struct Addresses {
    /// What business paths are put behind.
    pub(crate) gateway: String,
    /// What token paths are put behind.
    pub(crate) token: String,
}

/// How the answers of one interface are judged.
#[derive(Clone, Debug, Default)]
struct Rule {
    /// The codes that say success.
    success: Vec<String>,
    /// Whether a duplicate submit is a success too.
    mdd: bool,
}

/// The way to one tenant.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) config: YonyouConfig,
    /// By path.
    rules: BTreeMap<String, Rule>,
    /// Asked for once.
    addresses: OnceCell<Addresses>,
    /// The token that was sent last, to be struck out of the vendor's messages.
    sent: Mutex<Option<Secret>>,
}

/// The codes of success of an interface of which nothing else is known.
pub(crate) fn usual_success() -> Vec<String> {
    vec!["200".to_owned()]
}

impl Client {
    pub(crate) fn new(config: YonyouConfig) -> Self {
        let mut rules = BTreeMap::<String, Rule>::new();
        let mut add = |path: &str, success: &[String], mdd: bool| {
            let rule = rules.entry(path.to_owned()).or_default();
            rule.success.extend(success.iter().cloned());
            rule.mdd |= mdd;
        };
        for stream in config.all_streams() {
            add(&stream.path, &stream.success, false);
        }
        for target in config.all_targets() {
            add(&target.path, &target.success, target.key.is_some());
            for path in [&target.detail, &target.list].into_iter().flatten() {
                add(path, &usual_success(), false);
            }
        }
        Self { config, rules, addresses: OnceCell::new(), sent: Mutex::default() }
    }

    /// Where the tenant's data centre is: from the settings, or asked for once.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`] if the vendor does not know the tenant.
    pub(crate) async fn addresses(&self, cx: &Context) -> Result<&Addresses> {
        self.addresses.get_or_try_init(|| self.discover(cx)).await
    }

    async fn discover(&self, cx: &Context) -> Result<Addresses> {
        let config = &self.config;
        let clean = |url: &str| url.trim_end_matches('/').to_owned();
        if let (Some(gateway), Some(token)) = (&config.gateway_url, &config.token_url) {
            return Ok(Addresses { gateway: clean(gateway), token: clean(token) });
        }
        let tenant: String = form_urlencoded::byte_serialize(config.tenant_id.as_bytes()).collect();
        let base = clean(&config.discovery_url);
        let call = Call {
            endpoint: DISCOVERY.to_owned(),
            verb: Verb::Get,
            url: format!("{base}/open-auth/dataCenter/{DISCOVERY}?tenantId={tenant}"),
            headers: Vec::new(),
            body: Body::Empty,
            idempotent: true,
            with_token: false,
        };
        let answer = cx.call(call).await?;
        let envelope = envelope::read(&answer.body)?;
        let none = |name: &str| Error::malformed("the answer names no address").with("field", name.to_owned());
        let data = envelope.data.ok_or_else(|| none("data"))?;
        let Pairs(fields) = serde_json::from_str(data.get()).map_err(|_| none("data"))?;
        let address = |name: &str, set: &Option<String>| {
            if let Some(url) = set {
                return Ok(clean(url));
            }
            let field = fields.iter().find(|(n, _)| n == name);
            let url = field.and_then(|(_, value)| plain_text(value.get())).ok_or_else(|| none(name))?;
            // The token goes there: an address that is less safe than the one asked is not believed.
            if !is_address(&url) || (base.starts_with("https://") && !url.starts_with("https://")) {
                return Err(Error::malformed("the answer names an address that cannot be used")
                    .with("address", self.strike_out(&url)));
            }
            Ok(clean(&url))
        };
        Ok(Addresses {
            gateway: address("gatewayUrl", &config.gateway_url)?,
            token: address("tokenUrl", &config.token_url)?,
        })
    }

    /// A POST of JSON to a path; it only reads unless it is marked otherwise.
    pub(crate) async fn post(&self, cx: &Context, path: &str, body: String) -> Result<Call> {
        let gateway = &self.addresses(cx).await?.gateway;
        Ok(Call::json(path, &format!("{gateway}{path}"), body))
    }

    /// A GET of one document by its id.
    pub(crate) async fn get(&self, cx: &Context, path: &str, id: &str) -> Result<Call> {
        let gateway = &self.addresses(cx).await?.gateway;
        let id: String = form_urlencoded::byte_serialize(id.as_bytes()).collect();
        let (endpoint, url) = (path.to_owned(), format!("{gateway}{path}?id={id}"));
        let (headers, body) = (Vec::new(), Body::Empty);
        Ok(Call { endpoint, verb: Verb::Get, url, headers, body, idempotent: true, with_token: true })
    }

    /// Whether the answer is a good one.
    fn judge(&self, call: &Call, envelope: &Envelope<'_>) -> Result<()> {
        let say = |text: &str| self.strike_out(text);
        match call.endpoint.as_str() {
            // The shape without an envelope, seen in one client.
            TOKEN if envelope.code.is_none() && envelope.data.is_none() && envelope.success.is_none() => Ok(()),
            TOKEN => envelope.judge(&AUTH_SUCCESS, say).map_err(token::refused),
            DISCOVERY => envelope.judge(&AUTH_SUCCESS, say).map_err(|error| {
                // HTTP is 200 and the code 500 for a tenant that nobody knows.
                if error.fact("vendor_code") != Some("500") {
                    return error;
                }
                let error = Error::config(error.message().to_owned()).with("vendor_code", 500);
                error.advise("check `tenant_id`")
            }),
            path => {
                let usual = Rule { success: usual_success(), mdd: false };
                let rule = self.rules.get(path).unwrap_or(&usual);
                if rule.mdd && envelope.has_code(&error::DUPLICATE) {
                    return Ok(());
                }
                envelope.judge(&rule.success, say)
            }
        }
    }

    /// A text of the vendor without the secrets that it may repeat.
    pub(crate) fn strike_out(&self, text: &str) -> String {
        let sent = self.sent.lock().expect("no holder panics").clone();
        strike_out(text, [&self.config.app_secret].into_iter().chain(&self.config.suite_ticket).chain(&sent))
    }
}

impl Protocol for Client {
    fn sign(&self, call: &Call, token: Option<&Token>, now: Timestamp) -> Result<Wire> {
        let mut query = Vec::new();
        if call.endpoint == TOKEN {
            query = self.token_query(now);
        }
        if let Some(token) = token {
            query.push(("access_token", token.access.expose().to_owned()));
            let mut sent = self.sent.lock().expect("no holder panics");
            if sent.as_ref() != Some(&token.access) {
                *sent = Some(token.access.clone());
            }
        }
        let mut url = call.url.clone();
        for (name, value) in query {
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str(name);
            url.push('=');
            // Encoded exactly once, `/`, `+` and `=` included.
            url.extend(form_urlencoded::byte_serialize(value.as_bytes()));
        }
        let body = match &call.body {
            Body::Json(text) => text.clone(),
            Body::Empty => String::new(),
            Body::Form(_) => return Err(Error::new(ErrorKind::Unexpected, "Yonyou takes JSON only")),
        };
        // Also where there is no body: the call for a token is refused without it.
        let headers = vec![("content-type".to_owned(), "application/json;charset=UTF-8".to_owned())];
        Ok(Wire { url, headers, body })
    }

    fn classify(&self, call: &Call, answer: &Answer) -> Result<()> {
        let envelope = envelope::read(&answer.body);
        // The gateway's own words say more than the HTTP status, which is 200 for nearly all of them.
        let spoke = envelope.as_ref().is_ok_and(|e| e.code.as_deref().is_some_and(error::is_gateway));
        let refused = envelope.as_ref().is_err_and(|e| e.kind() == ErrorKind::TokenExpired);
        if !spoke && !refused {
            answer.http_ok()?;
            answer.json()?;
        }
        self.judge(call, &envelope?).map_err(|error| match (error.kind(), answer.retry_after) {
            (ErrorKind::QuotaExceeded, Some(wait)) => error.retry_after(wait),
            _ => error,
        })
    }
}
