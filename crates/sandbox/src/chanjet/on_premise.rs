//! On-premise access, version 2: the login and the `Authorization` header of section 3 of the page.

use aws_lc_rs::signature::{RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Deserialize;

use super::protocol::{Problem, refuse};
use super::record::quoted;
use super::session::Session;
use super::settings::{OnPremise, Settings};
use crate::fields::{Fields, need};
use crate::rows::md5_hex;

/// How far ahead `exp` may lie: five minutes, the longer of the two that the sources name.
const LONGEST_MS: i64 = 300_000;

/// What the header carries, in Base64.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    app_key: String,
    auth_info: String,
    #[serde(default)]
    org_id: String,
}

#[derive(Deserialize)]
struct Algorithm {
    alg: String,
}

#[derive(Deserialize)]
struct Payload {
    sub: String,
    exp: i64,
    datas: String,
    #[serde(default)]
    access_token: Option<String>,
}

/// Judges the `Authorization` header; business calls also need the token of the login, which `session` knows.
///
/// The page can be read in two ways, and both are taken: the token lies in the payload beside `datas`, or among what
/// `datas` hashes.
///
/// # Errors
/// `50000` with HTTP 401 for a header that is missing, malformed, signed by another key, or out of time; `50112` with
/// HTTP 403 for another `appKey`; as [`Session::check`] for the token.
pub(crate) fn check(
    header: Option<&str>,
    premise: &OnPremise,
    settings: &Settings,
    session: Option<&Session>,
    now_ms: i64,
) -> Result<(), Problem> {
    let wrong = |what: &str| refuse("50000", format!("Authorization 不正确：{what}")).status(401);
    let header = header.ok_or_else(|| wrong("缺失"))?;
    let header: Header = json(STANDARD.decode(header).ok()).ok_or_else(|| wrong("格式"))?;
    if header.app_key != settings.app_key {
        return Err(refuse("50112", "appKey不匹配").status(403));
    }
    let (signed, signature) = header.auth_info.rsplit_once('.').ok_or_else(|| wrong("authInfo"))?;
    let (head, payload) = signed.split_once('.').ok_or_else(|| wrong("authInfo"))?;
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
    let algorithm: Algorithm = json(decode(head)).ok_or_else(|| wrong("authInfo"))?;
    let signature = decode(signature).filter(|_| algorithm.alg == "PS256").ok_or_else(|| wrong("authInfo"))?;
    let key = UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, &premise.public_key);
    key.verify(signed.as_bytes(), &signature).map_err(|_| wrong("签名"))?;
    let payload: Payload = json(decode(payload)).ok_or_else(|| wrong("payload"))?;
    if payload.sub.is_empty() {
        return Err(wrong("sub"));
    }
    if payload.exp <= now_ms || payload.exp > now_ms.saturating_add(LONGEST_MS) {
        return Err(wrong("exp"));
    }
    let hash = |token: Option<&str>| {
        let token = token.map_or(String::new(), |token| format!(",\"access_token\":{}", quoted(token)));
        let (key, org, secret) = (quoted(&settings.app_key), quoted(&header.org_id), quoted(&settings.app_secret));
        md5_hex(&format!("{{\"appkey\":{key},\"orgid\":{org},\"appsecret\":{secret}{token}}}"))
    };
    let Some(session) = session else {
        return if payload.datas == hash(None) { Ok(()) } else { Err(wrong("datas")) };
    };
    let hashed = payload.datas == hash(Some(session.access()));
    let token = payload.access_token.as_deref().or_else(|| hashed.then(|| session.access()));
    session.check(token, now_ms)?;
    if hashed || payload.datas == hash(None) { Ok(()) } else { Err(wrong("datas")) }
}

/// Judges a login: name, MD5 of the password, account.
///
/// # Errors
/// `4001` for a missing field, `4003` for a wrong one.
pub(crate) fn login(args: &str, premise: &OnPremise) -> Result<(), Problem> {
    let args: Fields<'_> = serde_json::from_str(args).map_err(|_| refuse("4001", "_args 须为 JSON 对象"))?;
    let field = |name: &str| need(&args, name).map_err(|message| refuse("4001", message));
    let (name, password, account) = (field("userName")?, field("password")?, field("accNum")?);
    if name != premise.user_name || password != md5_hex(&premise.password) || account != premise.account {
        return Err(refuse("4003", "用户名、密码或帐套不正确"));
    }
    Ok(())
}

fn json<T: for<'a> Deserialize<'a>>(bytes: Option<Vec<u8>>) -> Option<T> {
    serde_json::from_slice(&bytes?).ok()
}
