//! The way to one tenant: where its data centre is, what is sent, and what the answers mean.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use milkrun_core::record::{Pairs, plain_text};
use milkrun_core::secret::Sent;
use milkrun_core::settings::{Address, check_address};
use milkrun_core::token::Token;
use milkrun_core::transport::{Answer, Body, Call, Protocol, Verb, Wire};
use milkrun_core::{Context, Error, ErrorKind, Result};
use tokio::sync::OnceCell;

use crate::config::YonyouConfig;
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

/// The way to one tenant. Its `Debug` is short: the tables of streams and targets are long.
pub(crate) struct Client {
    pub(crate) config: YonyouConfig,
    /// By path.
    rules: BTreeMap<String, Rule>,
    /// Asked for once.
    addresses: OnceCell<Addresses>,
    /// The tokens that were sent, to be struck out of the vendor's messages.
    sent: Sent,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client(tenant {}, {:?})", self.config.tenant_id, self.addresses.get())
    }
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
        Self { config, rules, addresses: OnceCell::new(), sent: Sent::default() }
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
            let url = clean(&url);
            if check_address(name, &url, Address::Base).is_err()
                || (base.starts_with("https://") && !url.starts_with("https://"))
            {
                return Err(Error::malformed("the answer names an address that cannot be used")
                    .with("address", self.strike_out(&url)));
            }
            Ok(url)
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
        self.sent.strike_out(text, [&self.config.app_secret].into_iter().chain(&self.config.suite_ticket))
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
            self.sent.remember(&token.access);
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

#[cfg(test)]
mod tests {
    use milkrun_core::transport::Verb;
    use milkrun_core::{ErrorKind, PageRequest, Result, Slice};

    use crate::fixture::{Asked, Reply, SECRET, SETTINGS, Stage, bare_stage, ok, stage};

    const TENANT: &str = "tenant_id = 'k8p3lxta'\napp_key = 'key'\napp_secret = 'hush-hush-secret'\n";
    const FOUND: &str = r#"{"code":"00000","message":"成功！","data":{"gatewayUrl":"https://c2.yonyoucloud.com/iuap-api-gateway","tokenUrl":"https://c2.yonyoucloud.com/iuap-api-auth"}}"#;
    const EMPTY: &str = r#"{"code":"200","data":{"recordList":[],"recordCount":0}}"#;
    const TOKEN: &str = r#"{"code":"00000","message":"成功！","data":{"access_token":"to/ke+n=","expire":7200}}"#;

    /// Reads the first page of a stream.
    async fn read(stage: &Stage, name: &str) -> Result<usize> {
        let source = stage.account.source.clone().unwrap();
        let stream = source.streams().iter().find(|stream| stream.name == name).unwrap();
        let (slice, at) = (Slice::default(), stream.paging.start());
        let ask = PageRequest { stream, slice: &slice, at: &at, size: stream.page_size.usual };
        source.read_page(&stage.cx, ask).await.map(|page| page.records.len())
    }

    /// A tenant whose data centre has to be asked for.
    fn tenant(more: &str, found: Reply) -> Stage {
        bare_stage(&format!("{TENANT}{more}"), move |asked| match () {
            () if asked.is("/getGatewayAddress") => found.clone(),
            () if asked.is("/getAccessToken") => ok(TOKEN),
            () => ok(EMPTY),
        })
    }

    fn addresses(stage: &Stage) -> Vec<String> {
        stage.vendor.asked().into_iter().map(|asked| asked.url).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn the_data_centre_is_asked_for_once() {
        let stage = tenant("", ok(FOUND));
        for _ in 0..2 {
            assert_eq!(read(&stage, "purchase-orders").await.unwrap(), 0);
        }
        let list = "https://c2.yonyoucloud.com/iuap-api-gateway/yonbip/scm/purchaseorder/list";
        let token = "https://c2.yonyoucloud.com/iuap-api-auth/open-auth/selfAppAuth/base/v1/getAccessToken";
        let discovery = "https://apigateway.yonyoucloud.com/open-auth/dataCenter/getGatewayAddress";
        assert_eq!(addresses(&stage), [discovery, token, list, list]);
        let asked = &stage.vendor.asked()[0];
        assert_eq!((asked.verb, asked.raw_query.as_str()), (Verb::Get, "tenantId=k8p3lxta"));
    }

    #[tokio::test(start_paused = true)]
    async fn both_addresses_can_be_set() {
        let half = tenant("gateway_url = 'https://c4.example/gw/'", ok(FOUND));
        read(&half, "purchase-orders").await.unwrap();
        let addresses = addresses(&half);
        assert!(addresses[1].starts_with("https://c2.yonyoucloud.com/iuap-api-auth/open-auth/"), "{addresses:?}");
        assert_eq!(addresses[2], "https://c4.example/gw/yonbip/scm/purchaseorder/list");
        let whole = stage(SETTINGS, |_| ok(EMPTY));
        read(&whole, "purchase-orders").await.unwrap();
        assert_eq!(whole.vendor.asked().len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_data_centre_that_is_not_found_is_said() {
        let unknown = ok(r#"{"code":"500","message":"根据租户id获取网关地址出现异常"}"#);
        let error = read(&tenant("", unknown), "purchase-orders").await.unwrap_err();
        assert_eq!((error.kind(), error.help()), (ErrorKind::ConfigInvalid, Some("check `tenant_id`")));
        let bad = [
            ok(r#"{"code":"00000","data":{}}"#),
            ok(r#"{"code":"00000"}"#),
            ok(FOUND.replace("https://c2", "http://c2")),
            ok(FOUND.replace("https://c2", "https://user@c2")),
            ok("<html></html>"),
        ];
        for found in bad {
            let what = format!("{found:?}");
            let error = read(&tenant("", found), "purchase-orders").await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Malformed, "{what}");
        }
        let local = tenant("discovery_url = 'http://127.0.0.1:1'", ok(FOUND.replace("https://c2", "http://c2")));
        assert!(read(&local, "purchase-orders").await.is_ok(), "a sandbox speaks http throughout");
    }

    fn token_call(stage: &Stage) -> Asked {
        stage.vendor.asked().into_iter().find(|asked| asked.is("/getAccessToken")).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_call_is_signed_and_encoded_exactly_once() {
        let stage = stage(SETTINGS, |_| ok(EMPTY));
        read(&stage, "purchase-orders").await.unwrap();
        let asked = token_call(&stage);
        let json = ("content-type".to_owned(), "application/json;charset=UTF-8".to_owned());
        assert_eq!((asked.verb, asked.headers.as_slice()), (Verb::Get, std::slice::from_ref(&json)));
        let (_, expected) = crate::sign(
            &milkrun_core::Secret::new(SECRET),
            [("appKey", "key"), ("timestamp", asked.query["timestamp"].as_str())],
        );
        assert_eq!(asked.query["signature"], expected);
        assert_eq!(asked.query["timestamp"].len(), 13, "milliseconds");
        let encoded = expected.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        assert!(asked.raw_query.ends_with(&format!("signature={encoded}")), "{}", asked.raw_query);
        let list = &stage.vendor.asked()[1];
        assert_eq!(list.raw_query, "access_token=to%2Fke%2Bn%3D");
        assert_eq!(list.headers, [json]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_suite_signs_its_own_parameters() {
        let more = "application = 'suite'\nsuite_ticket = 'ticket'\nold_token_path = true\n";
        let stage = stage(&format!("{SETTINGS}{more}"), |_| ok(EMPTY));
        read(&stage, "purchase-orders").await.unwrap();
        let asked = token_call(&stage);
        assert!(asked.is("/iuap-api-auth/open-auth/suiteApp/getAccessToken"), "{asked:?}");
        let names: Vec<_> = asked.query.keys().map(String::as_str).collect();
        assert_eq!(names, ["signature", "suiteKey", "suiteTicket", "tenantId", "timestamp"]);
        let pairs = asked.query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let (_, expected) = crate::sign(&milkrun_core::Secret::new(SECRET), pairs);
        assert_eq!(asked.query["signature"], expected);
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_asked_for_anew_five_minutes_early() {
        let stage = stage(SETTINGS, |_| ok(EMPTY));
        let n_tokens = || stage.vendor.asked().iter().filter(|asked| asked.is("/getAccessToken")).count();
        read(&stage, "purchase-orders").await.unwrap();
        stage.cx.clock().sleep(std::time::Duration::from_mins(114)).await;
        read(&stage, "purchase-orders").await.unwrap();
        assert_eq!(n_tokens(), 1);
        stage.cx.clock().sleep(std::time::Duration::from_mins(2)).await;
        read(&stage, "purchase-orders").await.unwrap();
        assert_eq!(n_tokens(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_vendor_says_of_tokens_is_passed_on_without_secrets() {
        let cases = [
            (r#"{"code":"10018","message":"应用不存在 hush-hush-secret"}"#, ErrorKind::ConfigInvalid),
            (r#"{"code":"50000","message":"签名错误 hush-hush-secret"}"#, ErrorKind::Unexpected),
            (r#"{"code":"00000","data":{}}"#, ErrorKind::Malformed),
        ];
        for (answer, kind) in cases {
            let stage = bare_stage(SETTINGS, move |_| ok(answer));
            let error = read(&stage, "purchase-orders").await.unwrap_err();
            assert_eq!(error.kind(), kind, "{error}");
            let shown = format!("{error:?} {:?}", error.help());
            assert!(!shown.contains(SECRET), "{shown}");
            assert!(kind == ErrorKind::Malformed || shown.contains("check `app_key`"), "{shown}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_gateways_own_code_says_more_than_the_status() {
        let kind = async |reply: Reply| {
            let stage = stage(SETTINGS, move |_| reply.clone());
            read(&stage, "purchase-orders").await.unwrap_err().kind()
        };
        assert_eq!(kind(Ok((404, r#"{"code":"310404"}"#.into()))).await, ErrorKind::ConfigInvalid);
        assert_eq!(kind(Ok((404, "nothing".into()))).await, ErrorKind::Refused);
        assert_eq!(kind(Ok((429, r#"{"code":310046}"#.into()))).await, ErrorKind::QuotaExceeded);
        assert_eq!(kind(Ok((500, r#"{"code":"500"}"#.into()))).await, ErrorKind::Unavailable);
        assert_eq!(kind(ok("非法token")).await, ErrorKind::TokenExpired);
        assert_eq!(kind(Ok((401, "非法token".into()))).await, ErrorKind::TokenExpired);
        assert_eq!(kind(ok(r#"{"code":"200","data":{"rows":[]}}"#)).await, ErrorKind::Malformed);
        let echo = stage(SETTINGS, |_| ok(r#"{"code":"999","message":"to/ke+n= is not for hush-hush-secret"}"#));
        let error = read(&echo, "purchase-orders").await.unwrap_err();
        assert!(!format!("{error:?}").contains("to/ke+n=") && error.to_string().contains("***"), "{error:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn check_asks_for_one_row_and_minds_no_missing_right() {
        for (answer, passes) in [
            (EMPTY, true),
            (r#"{"code":"310037","message":"未授权"}"#, true),
            (r#"{"code":"310031","message":"ip"}"#, false),
            ("<html>", false),
        ] {
            let stage = stage(SETTINGS, move |_| ok(answer));
            assert_eq!(stage.account.source.clone().unwrap().check(&stage.cx).await.is_ok(), passes, "{answer}");
            assert_eq!(stage.sink().check(&stage.cx).await.is_ok(), passes, "{answer}");
        }
    }
}
