//! Answers the token service: each step of section 2 in the envelope of its own.

use std::collections::BTreeMap;

use serde_json::Value;

use super::methods::TokenStep;
use super::protocol::{self, Problem, refuse, unknown_path};
use super::query::Params;
use super::{Simulator, on_premise};
use crate::faults::Fault;
use crate::form::Form;
use crate::json::Json;
use crate::vendor::{Call, Moment};

impl Simulator {
    /// The on-premise login, which gives the token of today as long as it lives.
    pub(super) fn login(&mut self, call: &Call, now_ms: i64) -> Result<String, Problem> {
        let premise = self.settings.on_premise.as_ref().ok_or_else(unknown_path)?;
        on_premise::check(call.header("authorization"), premise, &self.settings, None, now_ms)?;
        on_premise::login(&call.body, premise)?;
        if !self.session.alive(now_ms) {
            self.session.grant(now_ms);
        }
        let mut out = Json::with_capacity(160);
        out.begin();
        out.literal("result", "true");
        out.text("access_token", self.session.access());
        out.format("sid", format_args!("{:016x}", self.answered));
        out.end();
        Ok(out.into_string())
    }

    /// A step of the token service.
    pub(super) fn token(&mut self, step: TokenStep, call: &Call, moment: Moment<'_>) -> Result<String, Problem> {
        let query = parameters(call);
        let (mut key, mut secret) = (call.header("appkey"), call.header("appsecret"));
        if matches!(step, TokenStep::Exchange(true) | TokenStep::Refresh(true)) {
            key = key.or(query.get("appKey"));
            secret = secret.or(query.get("appSecret"));
        }
        protocol::check_app(key, secret, &self.settings)?;
        let now_ms = moment.now_ms;
        let body: Params = serde_json::from_str(&call.body).unwrap_or_default();
        let field = |name: &str| {
            let text = body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
            text.ok_or_else(|| refuse("4001", format!("参数 {name} 缺失")))
        };
        let mut out = Json::with_capacity(400);
        out.begin();
        if step == TokenStep::SelfBuilt {
            self.store.check_ticket(field("appTicket")?)?;
            if field("certificate")? != self.settings.certificate {
                return Err(refuse("4003", "certificate无效"));
            }
            self.session.grant(now_ms);
            out.literal("result", "true");
            out.key("value");
            out.begin();
            self.session.describe_self_built(self.settings.self_built_refresh, now_ms, &mut out);
            out.end();
            out.literal("error", "null");
        } else {
            out.text("code", "200");
            out.text("message", "成功");
            out.key("result");
            out.begin();
            match step {
                TokenStep::Exchange(_) => {
                    let code = granted(&query, "authorization_code", "code")?;
                    granted(&query, "authorization_code", "redirectUri")?;
                    self.session.exchange(code, now_ms)?;
                    self.session.describe_grant(now_ms, &mut out);
                }
                TokenStep::Refresh(_) => {
                    let token = granted(&query, "refresh_token", "refreshToken")?;
                    let refused = moment.faults.iter().find_map(|fault| match fault {
                        Fault::RefreshRefused { code } => Some(code.as_deref().unwrap_or("14002")),
                        _ => None,
                    });
                    if let Some(code) = refused {
                        return Err(refuse(code, "refreshToken正在刷新或已被使用"));
                    }
                    self.session.renew(token, now_ms)?;
                    self.session.describe_grant(now_ms, &mut out);
                }
                TokenStep::AppAccessToken => self.store.app_access_token(field("appTicket")?, now_ms, &mut out)?,
                TokenStep::PermanentCode => {
                    self.store.permanent_code(field("appAccessToken")?, field("tempAuthCode")?, now_ms, &mut out)?;
                }
                TokenStep::OrgAccessToken => {
                    let code = field("permanentAuthCode")?;
                    self.store.org_access_token(field("appAccessToken")?, code, now_ms, &mut out)?;
                }
                TokenStep::UserToken => {
                    let (token, code) = (field("orgAccessToken")?, field("userAuthPermanentCode")?);
                    self.store.user_token(token, code, &mut self.session, now_ms, &mut out)?;
                }
                TokenStep::ResendTempCode => self.store.resend_temp_code(),
                // A new ticket comes with all pushes; the others have answers of their own.
                TokenStep::ResendTicket | TokenStep::SelfBuilt | TokenStep::Login => {}
            }
            out.end();
        }
        out.end();
        Ok(out.into_string())
    }
}

/// A parameter of a grant, whose `grantType` must be the one named.
fn granted<'a>(query: &'a Form, kind: &str, name: &str) -> Result<&'a str, Problem> {
    match query.get("grantType") {
        None => return Err(refuse("4001", "参数 grantType 缺失")),
        Some(sent) if sent != kind => return Err(refuse("4002", "grantType不正确")),
        Some(_) => {}
    }
    let value = query.get(name).filter(|value| !value.is_empty());
    value.ok_or_else(|| refuse("4001", format!("参数 {name} 缺失")))
}

/// The parameters of a grant: the query string, or a JSON body where that is empty.
fn parameters(call: &Call) -> Form {
    if !call.query.is_empty() {
        return Form::urlencoded(call.query.as_bytes());
    }
    let sent: BTreeMap<String, String> = serde_json::from_str(&call.body).unwrap_or_default();
    let text = form_urlencoded::Serializer::new(String::new()).extend_pairs(sent).finish();
    Form::urlencoded(text.as_bytes())
}
