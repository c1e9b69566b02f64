//! What an answer to a save says of each document: of one, of a list, and of a batch whose rows went different ways.

use milkrun_core::{Error, Receipt, Result};
use serde_json::value::RawValue;

use crate::body::{Object, SOURCE_UNIQUE, elements};
use crate::envelope;
use crate::error::DUPLICATE;

/// How one document of a call can be known again in the answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    /// What the answer may name it by: the idempotency key, `sourceUnique`, the own number.
    pub(crate) names: Vec<String>,
}

impl Row {
    /// Whether the vendor means this row by that text.
    ///
    /// The gateway may give a key back as `OPENAPI_<interface>_<tenant>_<key>`.
    fn is(&self, text: &str) -> bool {
        self.names.iter().any(|name| {
            text == name
                || text
                    .strip_suffix(name.as_str())
                    .is_some_and(|rest| rest.starts_with("OPENAPI_") && rest.ends_with('_'))
        })
    }

    /// Whether a message speaks of this row: its name stands in it, and not as a part of a longer word.
    fn is_in(&self, message: &str) -> bool {
        let word = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
        self.names.iter().any(|name| {
            message.match_indices(name.as_str()).any(|(at, _)| {
                let before = message[..at].chars().next_back();
                let after = message[at + name.len()..].chars().next();
                // Chinese runs on without blanks, so only ASCII makes a word longer.
                let joins = |c: Option<char>| c.is_some_and(|c| c.is_ascii() && word(c));
                !joins(before) && !joins(after)
            })
        })
    }
}

/// The receipts of a good answer to a save of these rows; `good` are the interface's codes of success.
///
/// # Errors
/// [`ErrorKind::Malformed`](milkrun_core::ErrorKind::Malformed) if it is no such answer: the outcome is then unknown.
pub(crate) fn read(body: &str, rows: &[Row], good: &[String]) -> Result<Vec<Receipt>> {
    let envelope = envelope::read(body)?;
    let data = envelope.data.map(RawValue::get);
    if envelope.has_code(&DUPLICATE) {
        // Only the id comes back, and of several documents nobody can say which one it is.
        let same = Receipt::Same { remote_id: data.and_then(id_of) };
        let unknown = || Receipt::Unknown { reason: "one of the documents was submitted before".to_owned() };
        return Ok(if rows.len() == 1 { vec![same] } else { rows.iter().map(|_| unknown()).collect() });
    }
    if let Some(batch) = data.and_then(Batch::parse) {
        return Ok(batch.receipts(rows, good));
    }
    if let Some(job) = data.and_then(Object::parse).and_then(|data| data.text("jobId")) {
        let reason = format!("the vendor works on it as job {job}, and says nothing of its end");
        return Ok(rows.iter().map(|_| Receipt::Unknown { reason: reason.clone() }).collect());
    }
    if rows.len() == 1 {
        return Ok(vec![Receipt::Done { remote_id: data.and_then(id_of) }]);
    }
    let documents = data.filter(|data| data.starts_with('[')).and_then(elements).unwrap_or_default();
    if documents.len() != rows.len() {
        return Err(Error::malformed("the answer does not hold one document for each that was sent"));
    }
    let batch = Batch { infos: documents.iter().map(|json| Info::parse(json)).collect(), ..Batch::default() };
    Ok(batch.receipts(rows, good))
}

/// The id in the data of an answer: of an object, of the only element of a list, or the data itself.
fn id_of(data: &str) -> Option<String> {
    match data.as_bytes().first()? {
        b'{' => Object::parse(data)?.text("id"),
        b'[' => match elements(data)?.as_slice() {
            [only] => id_of(only),
            _ => None,
        },
        _ => milkrun_core::record::plain_text(data).map(std::borrow::Cow::into_owned).filter(|text| !text.is_empty()),
    }
}

/// A batch answer. The top code is success even when some rows failed.
#[derive(Debug, Default)]
struct Batch {
    n_done: Option<usize>,
    n_failed: Option<usize>,
    infos: Vec<Info>,
    faults: Vec<Fault>,
}

/// What is said of a row that went well, or of one whose own code says otherwise.
#[derive(Debug, Default)]
struct Info {
    names: Vec<String>,
    id: Option<String>,
    code: Option<String>,
    message: String,
}

/// What is said of a row that failed.
#[derive(Debug)]
struct Fault {
    name: Option<String>,
    message: String,
}

impl Info {
    fn parse(json: &str) -> Self {
        let Some(object) = Object::parse(json) else { return Self::default() };
        // `{code, message, data}` and `{data: {…}}`.
        let inner = object.get("data").and_then(Object::parse);
        let document = inner.as_ref().unwrap_or(&object);
        // Elsewhere `code` is the document's own.
        let coded = inner.is_some() || (object.get("message").is_some() && object.get("id").is_none());
        let names = [SOURCE_UNIQUE, "resubmitCheckKey", "key", "code"].iter().filter_map(|name| document.text(name));
        Self {
            names: names.collect(),
            id: document.text("id").or_else(|| document.text("targetUnique")),
            code: if coded { object.text("code") } else { None },
            message: object.text("message").unwrap_or_default(),
        }
    }
}

impl Batch {
    /// Reads the data of an answer, if it is that of a batch.
    fn parse(json: &str) -> Option<Self> {
        let data = Object::parse(json)?;
        let count = |name: &str| data.text(name).and_then(|text| text.parse::<usize>().ok());
        // The typing error is real; some interfaces have both.
        let n_done = count("sucessCount").or_else(|| count("successCount"));
        let n_failed = count("failCount");
        if n_done.is_none() && n_failed.is_none() && data.get("infos").is_none() {
            return None;
        }
        let list =
            |name: &str| data.get(name).filter(|json| json.starts_with('[')).and_then(elements).unwrap_or_default();
        let infos = list("infos").into_iter().map(Info::parse).collect();
        let mut faults: Vec<Fault> = Vec::new();
        for name in ["messages", "message", "failInfos", "failinfos"] {
            match data.get(name) {
                Some(json) if json.starts_with('[') => faults.extend(list(name).into_iter().filter_map(fault)),
                Some(json) => faults.extend(fault(json)),
                None => {}
            }
        }
        Some(Self { n_done, n_failed, infos, faults })
    }

    /// One receipt for each row: matched by name, by order only where all went the same way.
    fn receipts(self, rows: &[Row], good: &[String]) -> Vec<Receipt> {
        let mut receipts: Vec<Option<Receipt>> = rows.iter().map(|_| None).collect();
        let find = |receipts: &[Option<Receipt>], names: &dyn Fn(&Row) -> bool| {
            let mut found = (0..rows.len()).filter(|&i| receipts[i].is_none() && names(&rows[i]));
            // A name of two rows names none.
            found.next().filter(|_| found.next().is_none())
        };
        let mut nameless = Vec::new();
        for info in self.infos {
            let failed =
                info.code.as_ref().is_some_and(|code| !good.contains(code) && !DUPLICATE.contains(&code.as_str()));
            let receipt = match info.code {
                Some(code) if failed => Receipt::Refused { reason: format!("{} (vendor_code: {code})", info.message) },
                Some(code) if DUPLICATE.contains(&code.as_str()) => Receipt::Same { remote_id: info.id },
                _ => Receipt::Done { remote_id: info.id },
            };
            match find(&receipts, &|row| info.names.iter().any(|name| row.is(name))) {
                Some(at) => receipts[at] = Some(receipt),
                None => nameless.push(receipt),
            }
        }
        let mut vague = Vec::new();
        for Fault { name, message } in self.faults {
            let by_name = name.and_then(|name| find(&receipts, &|row| row.is(&name)));
            match by_name.or_else(|| find(&receipts, &|row| row.is_in(&message))) {
                Some(at) => receipts[at] = Some(Receipt::Refused { reason: message }),
                None => vague.push(message),
            }
        }
        let refused = |r: &&Receipt| matches!(r, Receipt::Refused { .. });
        let n_refused = receipts.iter().flatten().chain(&nameless).filter(refused).count();
        let n_open = receipts.iter().filter(|receipt| receipt.is_none()).count();
        let all_well = self.n_failed.unwrap_or(0) == 0 && n_refused == 0 && vague.is_empty();
        let as_many = self.n_done.is_none_or(|n| n == rows.len());
        let none_left = n_open > 0 && nameless.is_empty();
        if all_well && as_many && nameless.len() == n_open {
            // All went well, and the answer keeps the order.
            let mut rest = nameless.into_iter();
            receipts.iter_mut().filter(|receipt| receipt.is_none()).for_each(|receipt| *receipt = rest.next());
        } else if all_well && self.n_done == Some(rows.len()) {
            fill(&mut receipts, || Receipt::Done { remote_id: None });
        } else if none_left && self.n_failed == Some(n_open + n_refused) {
            // Whatever is not among those that went well is among those that failed.
            let reason = if vague.is_empty() { "the vendor gives no reason".to_owned() } else { vague.join("; ") };
            fill(&mut receipts, || Receipt::Refused { reason: reason.clone() });
        } else if rows.len() == 1 && nameless.len() == 1 {
            fill(&mut receipts, || nameless[0].clone());
        }
        let said = if vague.is_empty() { String::new() } else { format!(": {}", vague.join("; ")) };
        let reason = format!("the answer does not say which rows it took{said}");
        receipts.into_iter().map(|r| r.unwrap_or_else(|| Receipt::Unknown { reason: reason.clone() })).collect()
    }
}

fn fill(receipts: &mut [Option<Receipt>], with: impl Fn() -> Receipt) {
    receipts.iter_mut().filter(|receipt| receipt.is_none()).for_each(|receipt| *receipt = Some(with()));
}

/// A failure in any of its forms: text, `{message, sourceUnique}`, `{code, message}`, `{key, message}`.
fn fault(json: &str) -> Option<Fault> {
    if let Some(object) = Object::parse(json) {
        let name = [SOURCE_UNIQUE, "key", "resubmitCheckKey"].iter().find_map(|name| object.text(name));
        let inner = object.get("data").and_then(Object::parse);
        let name = name.or_else(|| inner.as_ref().and_then(|inner| inner.text(SOURCE_UNIQUE)));
        let message = object.text("message").or_else(|| object.text("msg")).unwrap_or_default();
        let message = match object.text("code") {
            Some(code) => format!("{message} (vendor_code: {code})"),
            None => message,
        };
        return Some(Fault { name, message });
    }
    let message = milkrun_core::record::plain_text(json)?.into_owned();
    Some(Fault { name: None, message }).filter(|fault| !fault.message.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(receipts: Result<Vec<Receipt>>) -> String {
        let one = |receipt: Receipt| match receipt {
            Receipt::Done { remote_id } => format!("done {}", remote_id.as_deref().unwrap_or("-")),
            Receipt::Same { remote_id } => format!("same {}", remote_id.as_deref().unwrap_or("-")),
            Receipt::Exists { remote_id } => format!("exists {remote_id}"),
            Receipt::Refused { reason } => format!("refused: {reason}"),
            Receipt::Unknown { reason } => format!("unknown: {reason}"),
        };
        match receipts {
            Ok(receipts) => receipts.into_iter().map(one).collect::<Vec<_>>().join(" | "),
            Err(error) => format!("error: {error:?}"),
        }
    }

    fn row(names: &[&str]) -> Row {
        Row { names: names.iter().map(|&name| name.to_owned()).collect() }
    }

    #[test]
    fn one_document() {
        let save = include_str!("../tests/fixtures/saved.json");
        let again = include_str!("../tests/fixtures/saved-again-after-an-hour.json");
        let cases = [
            save,
            again,
            r#"{"code":10004,"data":{"id":2410387773493760123}}"#,
            r#"{"code":"10004","data":"2410387773493760123"}"#,
            r#"{"code":"100004","data":null}"#,
            r#"{"code":"200","data":2410387773493760123}"#,
            r#"{"code":"200","data":[{"id":"7"}]}"#,
            r#"{"code":"200"}"#,
            r#"{"code":"200","data":{"jobId":"J-1"}}"#,
            r#"{"code":"200","data":{"count":1,"sucessCount":0,"failCount":1,"messages":["不行"],"infos":[]}}"#,
            r#"{"code":"200","data":{"count":1,"sucessCount":1,"failCount":0,"messages":[],"infos":[{"id":7}]}}"#,
        ];
        let lines = cases.map(|body| shown(read(body, &[row(&["K"])], &["200".to_owned()])));
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn rows_are_matched_by_name() {
        let rows = [row(&["A-1"]), row(&["A-2"]), row(&["A-10"])];
        let batch = |data: &str| {
            let body = format!("{{\"code\":\"200\",\"data\":{data}}}");
            format!("{data}\n    {}", shown(read(&body, &rows, &["200".to_owned()])))
        };
        let cases = [
            // As documented, with and without the typing error.
            r#"{"count":3,"sucessCount":2,"failCount":1,"messages":[{"sourceUnique":"A-2","message":"编码[A-2]已存在"}],"infos":[{"id":"8","sourceUnique":"A-10","targetUnique":"8","created":true},{"id":"7","sourceUnique":"A-1"}]}"#,
            r#"{"count":3,"successCount":2,"failCount":1,"messages":["编码A-10已存在"],"infos":[{"data":{"sourceUnique":"A-2","targetUnique":8}},{"data":{"sourceUnique":"A-1","targetUnique":"7"}}]}"#,
            r#"{"count":3,"sucessCount":2,"failCount":1,"message":"编码[A-1]已存在","infos":[{"id":8,"code":"A-2"},{"id":9,"code":"A-10"}]}"#,
            r#"{"count":3,"sucessCount":1,"failCount":2,"messages":[{"key":"A-1","message":"no"}],"failinfos":[{"code":"999","message":"never","sourceUnique":"A-2"}],"infos":[{"id":9,"sourceUnique":"A-10"}]}"#,
            r#"{"failCount":1,"sucessCount":2,"messages":{"sourceUnique":"A-1","message":"no"},"infos":[{"resubmitCheckKey":"OPENAPI_66f_k8p_A-2","id":8},{"resubmitCheckKey":"OPENAPI_66f_k8p_A-10","id":9}]}"#,
            r#"{"count":3,"infos":[{"code":"200","message":"ok","data":{"id":7,"sourceUnique":"A-1"}},{"code":"999","message":"no","data":{"sourceUnique":"A-2"}},{"code":"10004","data":{"id":9,"sourceUnique":"A-10"}}]}"#,
            r#"{"count":3,"sucessCount":2,"failCount":1,"infos":[{"code":"999","message":"no","sourceUnique":"A-1"},{"id":8,"sourceUnique":"A-2"},{"id":9,"sourceUnique":"A-10"}]}"#,
            // All went well: the order holds.
            r#"{"count":3,"sucessCount":3,"failCount":0,"messages":[],"infos":[{"id":7},{"id":8},{"id":9}]}"#,
            r#"{"count":3,"sucessCount":3,"failCount":0}"#,
            r#"[{"id":7},{"id":8},{"id":9}]"#,
            // Some failed, and who is left is clear.
            r#"{"count":3,"sucessCount":1,"failCount":2,"messages":["坏了"],"infos":[{"id":7,"sourceUnique":"A-1"}]}"#,
            r#"{"count":3,"sucessCount":0,"failCount":3,"messages":["坏了"],"infos":[]}"#,
            // Some failed, and who did is not clear: never by position.
            r#"{"count":3,"sucessCount":2,"failCount":1,"messages":["坏了"],"infos":[{"id":7},{"id":8}]}"#,
            r#"{"count":3,"sucessCount":2,"failCount":1,"messages":[{"sourceUnique":"A-2","message":"no"}],"infos":[{"id":7},{"id":8}]}"#,
            r#"{"count":3,"sucessCount":2,"failCount":0,"infos":[{"id":7},{"id":8}]}"#,
            r#"{"jobId":"J-1"}"#,
            r#"{"id":7}"#,
            r#"[{"id":7}]"#,
            "null",
        ];
        let used = shown(read(r#"{"code":"100004","data":{"id":7}}"#, &rows, &["200".to_owned()]));
        insta::assert_snapshot!(format!("{}\nused key\n    {used}", cases.map(batch).join("\n")));
    }
}
