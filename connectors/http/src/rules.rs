//! What answers mean, as data: where success, code, message and list are, and what each code says.

use std::time::Duration;

use milkrun_core::record::plain_text;
use milkrun_core::transport::Answer;
use milkrun_core::{Error, Result};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::{Class, error};
use crate::json::{Plain, find};

/// How answers are judged and where their parts are. Paths are names joined by `.`; on a stream or a target, what is
/// set here takes the place of the account's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerConfig {
    /// The path of the value that says whether it went well; without it, the HTTP status alone says so.
    pub success: Option<String>,
    /// The values at `success` that mean that it went well, such as `[0, "200"]`; all others mean that it did not.
    pub success_values: Option<Vec<Plain>>,
    /// Whether an answer without anything at `success` went well, as where only errors carry a code. Otherwise it is an
    /// error.
    pub success_may_be_missing: Option<bool>,
    /// The path of the code; `success` if left out.
    pub code: Option<String>,
    /// The path of the message.
    pub message: Option<String>,
    /// The path of the list of records; `""` where the whole answer is the list.
    pub list: Option<String>,
    /// The path of the number of records in all.
    pub total: Option<String>,
    /// The path of the truth value that says whether more follows.
    pub has_next: Option<String>,
    /// What the vendor's codes mean; a code that is in none of the lists is an error of unknown kind.
    pub codes: Option<Codes>,
    /// What HTTP statuses mean beyond what they mean everywhere. With `auth.login` or `auth.oauth2`, 401 means that the
    /// token has expired unless this says otherwise.
    pub statuses: Option<Codes>,
    /// How long to wait after a throttled call, from 1, where the answer has no `Retry-After`; 5 if left out.
    pub throttled_wait_secs: Option<u32>,
}

/// Codes or HTTP statuses, by what they mean.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Codes {
    /// The token has expired: it is renewed once, and the call is sent again. The call had no effect.
    pub token: Vec<Plain>,
    /// Too many calls: nothing is sent for a while. The call had no effect.
    pub throttled: Vec<Plain>,
    /// Not now: asked again with growing pauses, and of a delivery nobody knows whether it had its effect.
    pub temporary: Vec<Plain>,
    /// Never: this request or this document is refused for good.
    pub refused: Vec<Plain>,
    /// The caller is known and not allowed.
    pub forbidden: Vec<Plain>,
    /// A setting is wrong: the key, the signature, a parameter.
    pub settings: Vec<Plain>,
    /// The vendor's clock shows another time.
    pub clock: Vec<Plain>,
    /// The target has the document already.
    pub duplicate: Vec<Plain>,
}

impl Codes {
    fn lists(&self) -> [(&'static str, Class, &[Plain]); 8] {
        [
            ("token", Class::Token, &self.token),
            ("throttled", Class::Throttled, &self.throttled),
            ("temporary", Class::Temporary, &self.temporary),
            ("refused", Class::Refused, &self.refused),
            ("forbidden", Class::Forbidden, &self.forbidden),
            ("settings", Class::Settings, &self.settings),
            ("clock", Class::Clock, &self.clock),
            ("duplicate", Class::Duplicate, &self.duplicate),
        ]
    }

    /// What the code means, if it is in one of the lists.
    pub(crate) fn class(&self, code: &str) -> Option<Class> {
        let is_it = |codes: &[Plain]| codes.iter().any(|known| known.text() == code);
        self.lists().into_iter().find(|(_, _, codes)| is_it(codes)).map(|(_, class, _)| class)
    }

    fn validate(&self, setting: &str, are_statuses: bool) -> Result<()> {
        let mut seen = std::collections::BTreeSet::new();
        for (list, _, codes) in self.lists() {
            for code in codes {
                let text = code.text();
                if are_statuses && !text.parse().is_ok_and(|status: u16| (100..600).contains(&status)) {
                    return Err(
                        Error::config(format!("`{setting}.{list}` has to hold HTTP statuses")).with("code", text)
                    );
                }
                if text.is_empty() || !seen.insert(text.clone()) {
                    return Err(Error::config(format!(
                        "`{setting}.{list}` holds an empty code, or one that another list has"
                    ))
                    .with("code", text));
                }
            }
        }
        Ok(())
    }
}

impl AnswerConfig {
    /// These rules, and those of `base` for what is not set here.
    pub(crate) fn over(&self, base: &Self) -> Self {
        macro_rules! first {
            ($($field:ident),*) => { Self { $($field: self.$field.clone().or_else(|| base.$field.clone())),* } };
        }
        first!(
            success,
            success_values,
            success_may_be_missing,
            code,
            message,
            list,
            total,
            has_next,
            codes,
            statuses,
            throttled_wait_secs
        )
    }

    /// The same rules, where HTTP 401 means that the token has expired unless they give statuses a meaning themselves.
    pub(crate) fn with_renewable_token(mut self) -> Self {
        self.statuses.get_or_insert_with(|| Codes { token: vec![Plain::Whole(401)], ..Codes::default() });
        self
    }

    /// Refuses rules that cannot be meant. `at` is the setting that holds them.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`](milkrun_core::ErrorKind::ConfigInvalid) names the setting.
    pub(crate) fn validate(&self, at: &str) -> Result<()> {
        let wrong = |message: String| Err(Error::config(message));
        let paths = [
            ("success", &self.success),
            ("code", &self.code),
            ("message", &self.message),
            ("total", &self.total),
            ("has_next", &self.has_next),
        ];
        for (setting, path) in paths {
            if path.as_ref().is_some_and(|path| !is_path(path)) {
                return wrong(format!("`{at}.{setting}` has to be names joined by `.`"));
            }
        }
        if self.list.as_ref().is_some_and(|path| !path.is_empty() && !is_path(path)) {
            return wrong(format!("`{at}.list` has to be names joined by `.`, or empty for the whole answer"));
        }
        if self.success.is_none() && (self.success_values.is_some() || self.success_may_be_missing.is_some()) {
            return wrong(format!("`{at}.success` is missing: it says where `success_values` are looked for"));
        }
        let is_sure = self.success_may_be_missing == Some(true);
        if self.success.is_some() && !is_sure && self.success_values.as_ref().is_none_or(Vec::is_empty) {
            return wrong(format!("`{at}.success_values` has to name at least one value, such as [0]"));
        }
        if self.throttled_wait_secs == Some(0) {
            return wrong(format!("`{at}.throttled_wait_secs` has to be at least 1"));
        }
        self.codes.iter().try_for_each(|codes| codes.validate(&format!("{at}.codes"), false))?;
        self.statuses.iter().try_for_each(|codes| codes.validate(&format!("{at}.statuses"), true))
    }

    /// Judges an answer: only a good one passes. `hide` takes the secrets out of the vendor's words.
    ///
    /// # Errors
    /// What the answer means; the vendor's code is the fact `vendor_code`, the class of it the fact `class`.
    pub(crate) fn judge(&self, answer: &Answer, hide: &dyn Fn(&str) -> String) -> Result<()> {
        let is_good_status = (200..300).contains(&answer.status);
        let by_status = self.statuses.as_ref().and_then(|statuses| statuses.class(&answer.status.to_string()));
        if is_good_status && by_status.is_none() {
            answer.json()?;
        }
        let json = match serde_json::from_str::<&RawValue>(&answer.body) {
            Ok(json) => json.get(),
            Err(cause) if is_good_status && by_status.is_none() => {
                return Err(Error::malformed("the answer is not JSON").caused_by(cause));
            }
            Err(_) => "null",
        };
        let code = text_at(json, self.code.as_ref().or(self.success.as_ref()));
        let by_code = code.as_ref().and_then(|code| self.codes.as_ref()?.class(code));
        let class = if is_good_status && by_status.is_none() {
            self.success(json, by_code)?
        } else if by_code.is_some() || by_status.is_some() {
            by_code.or(by_status)
        } else {
            let message = self.message(json, hide);
            return answer.http_ok().map_err(|error| {
                let error = if message.is_empty() { error } else { error.with("vendor_message", message) };
                code.iter().fold(error, |error, code| error.with("vendor_code", hide(code)))
            });
        };
        match class {
            None => Ok(()),
            Some(class) => Err(self.error(class, code.as_deref(), answer, &self.message(json, hide), hide)),
        }
    }

    /// What is wrong with an answer whose HTTP status is a good one; `None` if it went well.
    fn success(&self, json: &str, by_code: Option<Class>) -> Result<Option<Class>> {
        let Some(path) = &self.success else { return Ok(by_code) };
        let Some(value) = text_at(json, Some(path)) else {
            if self.success_may_be_missing == Some(true) && find(json, path).is_none() {
                return Ok(by_code);
            }
            return Err(Error::malformed("the answer does not say whether it went well").with("path", path));
        };
        let good = self.success_values.iter().flatten().any(|known| known.text() == value);
        Ok(if good { None } else { Some(by_code.unwrap_or(Class::Unknown)) })
    }

    fn error(
        &self,
        class: Class,
        code: Option<&str>,
        answer: &Answer,
        message: &str,
        hide: &dyn Fn(&str) -> String,
    ) -> Error {
        let wait = Duration::from_secs(self.throttled_wait_secs.unwrap_or(5).into());
        let error =
            error(class, message, answer.retry_after.unwrap_or(wait)).with("vendor_code", hide(code.unwrap_or("none")));
        if (200..300).contains(&answer.status) { error } else { error.with("http_status", answer.status) }
    }

    fn message(&self, json: &str, hide: &dyn Fn(&str) -> String) -> String {
        text_at(json, self.message.as_ref()).map(|text| hide(&text)).unwrap_or_default()
    }
}

/// A plain value at a path, as text; an empty one counts as missing.
fn text_at(json: &str, path: Option<&String>) -> Option<String> {
    find(json, path?).and_then(plain_text).map(std::borrow::Cow::into_owned).filter(|text| !text.is_empty())
}

/// Names joined by dots.
pub(crate) fn is_path(path: &str) -> bool {
    !path.is_empty() && path.split('.').all(|name| !name.is_empty() && !name.contains(['[', ']']))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn rules(text: &str) -> AnswerConfig {
        let rules: AnswerConfig = toml::from_str(text).unwrap();
        rules.validate("answer").unwrap();
        rules
    }

    fn judge(rules: &AnswerConfig, status: u16, body: &str) -> String {
        let answer = Answer { status, retry_after: None, body: Arc::new(body.to_owned()) };
        match rules.judge(&answer, &|text: &str| text.replace("hush", "***")) {
            Ok(()) => "good".to_owned(),
            Err(error) => format!("{error:?}"),
        }
    }

    #[test]
    fn the_table_of_answers() {
        let by_code = rules(
            "success = 'code'\nsuccess_values = [0, 'ok']\nmessage = 'msg'\n[codes]\ntoken = [401]\nthrottled = ['E9']\n\
             temporary = [5]\nrefused = [2]\n[statuses]\nduplicate = [409]",
        );
        let by_error = rules("success = 'error.code'\nsuccess_may_be_missing = true\nmessage = 'error.text'");
        let by_status = rules("").with_renewable_token();
        let cases = [
            ("by code", &by_code, 200, r#"{"code":0}"#),
            ("by code", &by_code, 200, r#"{"code":"ok"}"#),
            ("by code", &by_code, 200, r#"{"code":401,"msg":"token hush is old"}"#),
            ("by code", &by_code, 200, r#"{"code":"E9"}"#),
            ("by code", &by_code, 200, r#"{"code":5,"msg":"busy"}"#),
            ("by code", &by_code, 400, r#"{"code":2,"msg":"no"}"#),
            ("by code", &by_code, 200, r#"{"code":7,"msg":"what"}"#),
            ("by code", &by_code, 200, r#"{"data":[]}"#),
            ("by code", &by_code, 200, r#"{"code":0"#),
            ("by code", &by_code, 200, ""),
            ("by code", &by_code, 200, "<html></html>"),
            ("by code", &by_code, 409, "<html></html>"),
            ("by code", &by_code, 500, r#"{"code":0}"#),
            ("by code", &by_code, 404, r#"{"code":9,"msg":"where"}"#),
            ("by error", &by_error, 200, r#"{"data":[]}"#),
            ("by error", &by_error, 200, r#"{"error":{"code":"x","text":"hush"}}"#),
            ("by error", &by_error, 200, r#"{"error":{"code":{}}}"#),
            ("by status", &by_status, 200, "[]"),
            ("by status", &by_status, 401, "[]"),
            ("by status", &by_status, 403, "[]"),
            ("by status", &by_status, 429, ""),
        ];
        let lines = cases
            .map(|(name, rules, status, body)| format!("{name} {status} {body} => {}", judge(rules, status, body)));
        insta::assert_snapshot!(lines.join("\n"));
    }
}
