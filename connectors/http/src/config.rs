//! The settings of an account: one vendor, described as data.

use std::collections::BTreeMap;

use milkrun_core::declared::check_taken;
use milkrun_core::settings::{Address, check_address};
use milkrun_core::{Error, Quota, QuotaSpec, Result};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::auth::AuthConfig;
use crate::endpoint::{Endpoint, Method, check_header_value, quota};
use crate::json::{Fixed, Plain};
use crate::place::check_header;
use crate::rules::AnswerConfig;
use crate::signing::SignConfig;
use crate::streams::StreamConfig;
use crate::targets::TargetConfig;

/// A minimal account.
pub(crate) const EXAMPLE: &str = r#"[accounts.acme]
connector = "http"
base_url = "https://api.acme.example/v1"
auth = { bearer = { env = "ACME_TOKEN" } }

[[accounts.acme.streams]]
name = "orders"
path = "/orders"
answer = { list = "orders" }
key = ["id"]
paging = { kind = "page-number", parameter = "page", size_parameter = "per_page" }
"#;

/// One vendor with a JSON API.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpConfig {
    /// The address that paths start at, without a slash at its end.
    pub base_url: String,
    /// Headers that go with every call and are no secret.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// How the account proves who it is; nothing if left out.
    #[serde(default)]
    pub auth: AuthConfig,
    /// How calls are signed, if they are.
    pub sign: Option<SignConfig>,
    /// How answers are judged and where their parts are, unless a stream or a target says otherwise.
    #[serde(default)]
    pub answer: AnswerConfig,
    /// The most calls under way at one time, 1 to 64. How many calls may be made in a time says `quota`.
    #[serde(default = "concurrency")]
    pub concurrency: u32,
    /// The call that proves the credentials; the first page of the first stream if left out.
    pub check: Option<CheckConfig>,
    /// What can be read.
    #[serde(default)]
    pub streams: Vec<StreamConfig>,
    /// What can be written.
    #[serde(default)]
    pub targets: Vec<TargetConfig>,
}

/// A cheap call that needs the credentials.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckConfig {
    /// The path below `base_url`.
    pub path: String,
    /// The verb.
    #[serde(default = "get")]
    pub verb: Method,
    /// Fixed parameters of the address.
    #[serde(default)]
    pub query: BTreeMap<String, Plain>,
    /// Fixed values of the body, each under its path.
    #[serde(default)]
    pub body: BTreeMap<String, Fixed>,
}

fn get() -> Method {
    Method::Get
}

fn concurrency() -> u32 {
    4
}

/// What an account may do unless it is set otherwise.
pub(crate) fn usual_quota() -> QuotaSpec {
    QuotaSpec::account(Quota::unlimited().at_once(concurrency()))
}

impl CheckConfig {
    /// The address with its fixed parts.
    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint { query: self.query.clone(), body: self.body.clone(), ..Endpoint::new(self.verb, &self.path, None) }
    }
}

impl HttpConfig {
    /// What this account may do.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`](milkrun_core::ErrorKind::ConfigInvalid) names a limit that cannot be read.
    pub(crate) fn quota(&self) -> Result<QuotaSpec> {
        let mut spec = QuotaSpec::account(Quota::unlimited().at_once(self.concurrency));
        let streams = self.streams.iter().map(|stream| (stream.endpoint(), &stream.quota));
        let targets = self.targets.iter().map(|target| (target.endpoint(), &target.quota));
        for (endpoint, rates) in streams.chain(targets).filter(|(_, rates)| !rates.is_empty()) {
            let quota = quota("", rates)?.at_once(self.concurrency);
            // Two entries of one address share its limits.
            let lane =
                spec.endpoints.entry(endpoint.name()).or_insert_with(|| Quota { rates: Vec::new(), ..quota.clone() });
            lane.rates.extend(quota.rates);
        }
        Ok(spec)
    }

    /// The rules for answers to calls with the account's token.
    pub(crate) fn rules(&self) -> AnswerConfig {
        let has_token = self.auth.login.is_some() || self.auth.oauth2.is_some();
        if has_token { self.answer.clone().with_renewable_token() } else { self.answer.clone() }
    }

    /// The rules by the name of the endpoint.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`](milkrun_core::ErrorKind::ConfigInvalid) if two entries of one address judge its
    /// answers differently.
    pub(crate) fn rules_by_endpoint(&self) -> Result<BTreeMap<String, AnswerConfig>> {
        let base = self.rules();
        let streams = self.streams.iter().map(|stream| (stream.endpoint().name(), &stream.answer));
        let targets = self.targets.iter().flat_map(|target| {
            let endpoints = [Some(target.endpoint()), target.update_endpoint()];
            let own = endpoints.into_iter().flatten().map(|endpoint| (endpoint.name(), &target.answer));
            let look_up = target.idempotency.look_up.as_ref();
            own.chain(look_up.map(|look_up| (look_up.endpoint().name(), &look_up.answer))).collect::<Vec<_>>()
        });
        let mut rules: BTreeMap<String, AnswerConfig> = BTreeMap::new();
        for (name, answer) in streams.chain(targets) {
            let answer = answer.over(&base);
            // Where the records stand is no matter of judging.
            let judged =
                |rules: &AnswerConfig| AnswerConfig { list: None, total: None, has_next: None, ..rules.clone() };
            if rules.get(&name).is_some_and(|known| judged(known) != judged(&answer)) {
                return Err(Error::config(
                    "two entries judge the answers of one address differently: give both one `answer`",
                )
                .with("endpoint", name));
            }
            rules.insert(name, answer);
        }
        Ok(rules)
    }

    /// Refuses what cannot be meant.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`](milkrun_core::ErrorKind::ConfigInvalid) names the setting.
    pub(crate) fn validate(&self) -> Result<()> {
        let wrong = |message: &'static str| Err(Error::config(message));
        check_address("base_url", &self.base_url, Address::Base)?;
        for (name, value) in &self.headers {
            check_header("headers", name)?;
            check_header_value(&format!("headers.{name}"), value)?;
        }
        let base = self.rules();
        base.validate("answer")?;
        self.auth.validate(&self.answer)?;
        self.sign.iter().try_for_each(SignConfig::validate)?;
        if !(1..=64).contains(&self.concurrency) {
            return wrong("`concurrency` has to be 1 to 64");
        }
        self.check.iter().try_for_each(|check| check.endpoint().validate("check.", false))?;
        if self.streams.is_empty() && self.targets.is_empty() {
            return wrong("`streams` and `targets` are both missing: there is nothing to read or to write");
        }
        let streams: Vec<&str> = self.streams.iter().map(|stream| stream.name.as_str()).collect();
        check_taken("streams", streams.iter().copied())?;
        check_taken("targets", self.targets.iter().map(|target| target.name.as_str()))?;
        self.streams.iter().try_for_each(|stream| stream.validate(&streams, &base))?;
        self.targets.iter().try_for_each(|target| target.validate(&base))?;
        self.rules_by_endpoint().map(drop)
    }
}

#[cfg(test)]
mod tests {
    use milkrun_core::ErrorKind;
    use milkrun_core::connector::Opening;

    use super::*;

    const GOOD: &str = "base_url = 'https://api.example/v1'\n";
    const STREAM: &str = "[[streams]]\nname = 'orders'\npath = '/orders'\nkey = ['id']\nanswer = { list = 'data' }\n";
    const TARGET: &str = "[[targets]]\nname = 'clients'\npath = '/clients'\n";

    fn check(settings: &str) -> Result<HttpConfig> {
        let settings = toml::from_str(settings).unwrap();
        let config: HttpConfig = Opening { account: "a".into(), settings, folder: "/".into() }.parse()?;
        config.validate()?;
        Ok(config)
    }

    #[test]
    fn the_minimum_is_enough_and_shows_no_secret() {
        let config = check(&format!("{GOOD}auth.bearer = 'hush-hush'\n{STREAM}")).unwrap();
        assert_eq!(config.quota().unwrap().account.concurrency, 4);
        assert!(!format!("{config:?}").contains("hush"));
        check(&format!("{GOOD}{TARGET}")).unwrap();
    }

    #[test]
    fn the_example_opens() {
        let example: toml::Table = EXAMPLE.replace("{ env = \"ACME_TOKEN\" }", "'x'").parse().unwrap();
        let mut account = example["accounts"]["acme"].as_table().unwrap().clone();
        account.remove("connector");
        check(&account.to_string()).unwrap();
    }

    #[test]
    fn limits_of_one_path_are_kept_together() {
        let stream = STREAM.to_owned() + "quota = ['60/1m']\n";
        let other = stream.replace("'orders'", "'more'").replace("60/1m", "5/1s");
        let config = check(&format!("{GOOD}{stream}{other}")).unwrap();
        let quota = config.quota().unwrap();
        assert_eq!(quota.endpoints["GET /orders"].rates.len(), 2);
    }

    #[test]
    fn refused_by_name() {
        let account = |lines: &str| format!("{GOOD}{lines}\n{STREAM}");
        let stream = |lines: &str| format!("{GOOD}{STREAM}{lines}\n");
        let target = |lines: &str| format!("{GOOD}{TARGET}{lines}\n");
        let login = "path = '/login', fields = { user = 'u', password = 'hush-hush' }, token = 'token'";
        let oauth = "token_path = '/token', client_id = 'c', client_secret = 'hush-hush'";
        let window = "axis = 'm', start = 's', end = 'e', zone = 'Asia/Shanghai', longest_hours = 24";
        let look_up = "look_up = { path = '/clients', parameter = 'code', answer = { list = 'data' } }";
        let cases = [
            ("base_url missing", STREAM.to_owned()),
            ("base_url", format!("base_url = 'api.example'\n{STREAM}")),
            ("base_url slash", format!("base_url = 'https://api.example/'\n{STREAM}")),
            ("nothing", GOOD.to_owned()),
            ("unknown", account("colour = 1")),
            ("concurrency", account("concurrency = 0")),
            ("headers name", account("headers = { 'x y' = 'a' }")),
            ("headers own", account("headers = { Host = 'a' }")),
            ("headers value", account("headers = { x = \"a\\nb\" }")),
            ("auth two", account("auth = { bearer = 'hush-hush', basic = { user = 'u', password = 'hush-hush' } }")),
            ("auth bearer", account("auth.bearer = \"hush-hush\\n\"")),
            ("auth key", account("auth.key = { value = '', put = { header = 'x' } }")),
            ("auth key place", account("auth.key = { value = 'hush-hush', put = { header = 'x', query = 'y' } }")),
            ("auth key nowhere", account("auth.key = { value = 'hush-hush', put = {} }")),
            ("auth basic", account("auth.basic = { user = 'a:b', password = 'hush-hush' }")),
            ("login token", account(&format!("auth.login = {{ {login} }}").replace("'token'", "'a..b'"))),
            ("login life", account(&format!("auth.login = {{ {login}, life_secs = 30 }}"))),
            ("login send", account(&format!("auth.login = {{ {login}, verb = 'get', send = 'json' }}"))),
            ("login empty", account(&format!("auth.login = {{ {login} }}").replace("hush-hush", ""))),
            ("oauth2 refresh", account(&format!("auth.oauth2 = {{ {oauth}, grant = 'refresh-token' }}"))),
            ("oauth2 needless", account(&format!("auth.oauth2 = {{ {oauth}, refresh_token = 'hush-hush' }}"))),
            ("oauth2 names", account(&format!("auth.oauth2 = {{ {oauth}, names = {{ clientid = 'x' }} }}"))),
            ("oauth2 send", account(&format!("auth.oauth2 = {{ {oauth}, send = 'query' }}"))),
            (
                "sign",
                account("sign = { secret = 'hush-hush', digest = 'md5', text = '{params}', put = { query = 's' } }"),
            ),
            ("answer values", account("answer = { success = 'code' }")),
            ("answer success", account("answer = { success_values = [0] }")),
            ("answer codes", account("answer = { codes = { token = [1], refused = ['1'] } }")),
            ("answer statuses", account("answer = { statuses = { token = [1] } }")),
            ("answer number", account("answer = { success = 'code', success_values = [0.5] }")),
            ("answer path", account("answer = { message = 'a[0]' }")),
            ("check", account("check = { path = 'me' }")),
            ("stream name", stream("").replace("'orders'", "'Orders'")),
            ("stream twice", stream(STREAM)),
            ("stream path", stream("").replace("'/orders'", "'/orders?x=1'")),
            ("stream elsewhere", stream("").replace("'/orders'", "'https://elsewhere.example/orders'")),
            ("stream brace", stream("").replace("'/orders'", "'/{shop}/orders'")),
            ("stream send", stream("send = 'json'")),
            ("stream body", stream("body = { a = 1 }")),
            ("stream form", stream("verb = 'post'\nsend = 'form'\nbody = { a = [1] }")),
            ("stream key", stream("").replace("['id']", "[]")),
            ("stream list", stream("").replace("answer = { list = 'data' }", "")),
            ("stream pages", stream("page_size = { min = 10, usual = 5 }")),
            ("stream twice set", stream("query = { page = 1 }\npaging = { kind = 'page-number', parameter = 'page' }")),
            ("paging parameter", stream("paging = { kind = 'offset' }")),
            ("paging next", stream("paging = { kind = 'cursor', parameter = 'c' }")),
            ("paging needless", stream("paging = { kind = 'link', next = 'n', first = 0 }")),
            ("paging first", stream("paging = { kind = 'page-number', parameter = 'p', first = 2 }")),
            ("paging has_next", stream("paging = { kind = 'page-number', parameter = 'p', end = 'has-next' }")),
            ("paging short", stream("paging = { kind = 'page-number', parameter = 'p', end = 'short-page' }")),
            ("paging kind", stream("paging = { kind = 'pages' }")),
            ("stream proof", stream("proof = 'backwards'")),
            (
                "window zone missing",
                stream(&format!("window = {{ {window} }}").replace("zone = 'Asia/Shanghai', ", "")),
            ),
            ("window zone", stream(&format!("window = {{ {window} }}").replace("Asia/Shanghai", "Mars"))),
            ("window longest", stream(&format!("window = {{ {window} }}").replace("24", "0"))),
            ("window day", stream(&format!("window = {{ {window}, form = 'date' }}").replace("24", "1"))),
            (
                "window late",
                stream(&format!(
                    "window = {{ {window}, late = [{{ axis = 'b', every_hours = 1, reach_hours = 1 }}] }}"
                )),
            ),
            ("stream parent", stream("partition = { stream = 'shop', path = 'id', parameter = 'shop' }")),
            ("stream quota", stream("quota = ['60']")),
            ("target name", target("").replace("'clients'", "'写入'")),
            ("target batch", target("batch = 0")),
            ("target batch path", target("batch = 2").replace("'/clients'", "'/clients/{id}'")),
            ("target get", target("verb = 'get'\nas_list = true")),
            ("target wrap", target("body = { a = 1 }")),
            ("target remote_id", target("batch = 2\nremote_id = 'id'")),
            ("target update", target("update = { path = '/clients/{remote_id}' }")),
            ("target update path", target("remote_id = 'id'\nupdate = { path = '/clients' }")),
            ("target rows", target("rows = { list = 'rows', success = 'ok' }")),
            ("target fields", target("fields = [{ path = 'a' }, { path = 'a' }]")),
            ("key nowhere", target("idempotency = { kind = 'key' }")),
            ("key batch", target("batch = 2\nidempotency = { kind = 'key', header = 'x' }")),
            ("key length", target("idempotency = { kind = 'key', header = 'x', max_len = 20 }")),
            ("unique field", target(&format!("idempotency = {{ kind = 'unique', {look_up} }}"))),
            ("unique look_up", target("idempotency = { kind = 'unique', field = 'code' }")),
            (
                "look_up list",
                target(
                    &format!("idempotency = {{ kind = 'unique', field = 'code', {look_up} }}")
                        .replace(", answer = { list = 'data' }", ""),
                ),
            ),
            (
                "look_up parameter",
                target(
                    &format!("idempotency = {{ kind = 'unique', field = 'code', {look_up} }}")
                        .replace("parameter = 'code', ", ""),
                ),
            ),
            ("upsert field", target("idempotency = { kind = 'upsert' }")),
            ("needless field", target("idempotency = { field = 'code' }")),
            ("needless header", target("idempotency = { kind = 'upsert', field = 'a', header = 'x' }")),
            (
                "two judges",
                stream(&format!(
                    "{}answer = {{ list = 'data', message = 'm' }}\n",
                    STREAM.replace("'orders'", "'more'").replace("answer = { list = 'data' }\n", "")
                )),
            ),
        ];
        let refused = cases.map(|(name, settings)| {
            let error = check(&settings).expect_err(name);
            assert_eq!(error.kind(), ErrorKind::ConfigInvalid, "{name}");
            let text = error.to_string();
            assert!(!text.contains("hush"), "{text}");
            let text = text.lines().next().unwrap().chars().take(170).collect::<String>();
            format!("{name}: {text}{}", error.help().map(|help| format!(" [{help}]")).unwrap_or_default())
        });
        insta::assert_snapshot!(refused.join("\n"));
    }
}
