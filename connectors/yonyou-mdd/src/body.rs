//! JSON objects that are put together field by field, values byte for byte, and the bodies of saves.

use milkrun_core::record::{Pairs, plain_text, write_json_string};
use serde_json::value::RawValue;

use crate::targets::{BodyForm, TargetConfig};

/// Why a document is not sent: the target, or its rules, would not take it.
pub(crate) type Refusal = String;

/// A JSON object whose values are kept as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Object(Vec<(String, String)>);

impl Object {
    /// Reads an object; of a repeated name, the last value counts.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let Pairs(pairs) = serde_json::from_str(text).ok()?;
        let mut object = Self::default();
        for (name, value) in pairs {
            object.set(&name, value.get());
        }
        Some(object)
    }

    /// The value of that name, as JSON text.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The value of that name as plain text, if it is one and not empty.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.get(name).and_then(plain_text).map(std::borrow::Cow::into_owned).filter(|text| !text.is_empty())
    }

    /// Sets a field to a JSON text, in its old place or at the end.
    pub(crate) fn set(&mut self, name: &str, json: &str) {
        match self.0.iter_mut().find(|(n, _)| n == name) {
            Some((_, value)) => json.clone_into(value),
            None => self.0.push((name.to_owned(), json.to_owned())),
        }
    }

    /// Sets fields and moves them to the front, in this order.
    fn lead(&mut self, fields: &[(&str, String)]) {
        self.0.retain(|(name, _)| fields.iter().all(|(lead, _)| lead != name));
        let lead = fields.iter().map(|(name, json)| ((*name).to_owned(), json.clone()));
        self.0.splice(0..0, lead);
    }

    /// The fields in order.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, json)| (name.as_str(), json.as_str()))
    }

    /// The object as JSON text.
    pub(crate) fn write(&self) -> String {
        let mut out = b"{".to_vec();
        for (name, json) in self.fields() {
            if out.len() > 1 {
                out.push(b',');
            }
            write_json_string(&mut out, name);
            out.push(b':');
            out.extend_from_slice(json.as_bytes());
        }
        out.push(b'}');
        String::from_utf8(out).expect("texts were put together")
    }
}

/// A text as JSON.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = Vec::new();
    write_json_string(&mut out, text);
    String::from_utf8(out).expect("JSON is UTF-8")
}

/// The elements of a list as JSON texts; `None` if it is no list.
pub(crate) fn elements(json: &str) -> Option<Vec<&str>> {
    let elements: Vec<&RawValue> = serde_json::from_str(json).ok()?;
    Some(elements.into_iter().map(RawValue::get).collect())
}

/// JSON texts as a list.
pub(crate) fn list(elements: &[String]) -> String {
    format!("[{}]", elements.join(","))
}

/// The document as the target has it now: what an update has to name.
#[derive(Clone, Debug)]
pub(crate) struct Current {
    /// The document, with `id` and, where the vendor gives it, `pubts`.
    pub(crate) document: Object,
    /// Whether it holds the lines too.
    pub(crate) has_lines: bool,
}

/// What goes with one document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp<'a> {
    /// The idempotency key.
    pub(crate) key: &'a str,
    /// The source's own key, for saves that match rows by it.
    pub(crate) source: &'a str,
    /// What the target has now, for an update.
    pub(crate) current: Option<&'a Current>,
}

/// The document as it is sent: with its key, its status, and for an update the id and the lock.
///
/// # Errors
/// Why the target could not take it.
pub(crate) fn stamped(text: &str, target: &TargetConfig, stamp: Stamp<'_>) -> Result<String, Refusal> {
    let mut document = Object::parse(text).ok_or("the document is no object")?;
    if let Some(field) = target.key.as_deref().filter(|field| document.get(field).is_some()) {
        return Err(format!("the mapping sets `{field}`, which is made by Milkrun"));
    }
    if target.status {
        for path in target.line_paths(&document) {
            let old = match stamp.current {
                None => Known::New,
                Some(current) if current.has_lines => current.document.get(&path[0]).map_or(Known::Unknown, Known::Has),
                Some(_) => Known::Unknown,
            };
            set_lines(&mut document, &path, old, target.line_key.as_deref())?;
        }
    }
    let mut lead = Vec::new();
    lead.extend(target.key.as_deref().map(|field| (field, quoted(stamp.key))));
    if target.unique && document.text(SOURCE_UNIQUE).is_none() {
        lead.push((SOURCE_UNIQUE, quoted(stamp.source)));
    }
    if target.status {
        lead.push(("_status", quoted(if stamp.current.is_some() { "Update" } else { "Insert" })));
    }
    if let Some(current) = stamp.current {
        // In the very form that the vendor gave: ids have up to 19 digits, as numbers or text.
        for name in ["id", "pubts"] {
            lead.extend(current.document.get(name).filter(|json| *json != "null").map(|json| (name, json.to_owned())));
        }
    }
    document.lead(&lead);
    Ok(document.write())
}

/// The field by which saves that are not idempotent match rows.
pub(crate) const SOURCE_UNIQUE: &str = "sourceUnique";

/// What is known of the lines that the target has.
#[derive(Clone, Copy)]
enum Known<'a> {
    /// There are none: the document is new.
    New,
    /// These.
    Has(&'a str),
    /// Some, but nobody can say which.
    Unknown,
}

/// Gives every line its status: new, changed, or gone.
///
/// A line is the same as one that the target has if it carries its `id`, or the same value of `line_key`. Without either
/// it is new, and the one that the target has is deleted: in effect the lines are replaced.
fn set_lines(document: &mut Object, path: &[String], known: Known<'_>, line_key: Option<&str>) -> Result<(), Refusal> {
    let (name, deeper) = path.split_first().expect("a path names a field");
    let Some(json) = document.get(name) else { return Ok(()) };
    if json == "null" {
        return Ok(());
    }
    let lines = elements(json).ok_or_else(|| format!("`{name}` is no list"))?;
    let lines =
        lines.into_iter().map(|line| Object::parse(line).ok_or_else(|| format!("a line of `{name}` is no object")));
    let mut lines = lines.collect::<Result<Vec<_>, _>>()?;
    if !deeper.is_empty() {
        // Which of the target's inner lines belong to which of the outer ones, only ids could say.
        let known = if matches!(known, Known::New) { Known::New } else { Known::Unknown };
        for line in &mut lines {
            set_lines(line, deeper, known, line_key)?;
        }
        document.set(name, &list(&lines.iter().map(Object::write).collect::<Vec<_>>()));
        return Ok(());
    }
    let old = match known {
        Known::New => Vec::new(),
        Known::Has(json) => {
            elements(json).unwrap_or_default().into_iter().filter_map(Object::parse).collect::<Vec<_>>()
        }
        Known::Unknown if lines.iter().all(|line| line.text("id").is_some()) => Vec::new(),
        Known::Unknown => {
            return Err(format!(
                "the lines in `{name}` that the target has cannot be read, so that new ones might double them"
            ));
        }
    };
    let mut gone: Vec<&Object> = old.iter().collect();
    for line in &mut lines {
        let id = line.text("id");
        let same = |other: &&Object| match (&id, line_key) {
            (Some(id), _) => other.text("id").as_ref() == Some(id),
            (None, Some(key)) => line.text(key).is_some() && line.text(key) == other.text(key),
            (None, None) => false,
        };
        let at = gone.iter().position(same);
        let found = at.map(|at| gone.remove(at));
        let status =
            if found.is_some() || (id.is_some() && !matches!(known, Known::New)) { "Update" } else { "Insert" };
        let mut lead = Vec::new();
        // A status that the mapping sets is meant.
        if line.get("_status").is_none() {
            lead.push(("_status", quoted(status)));
        }
        lead.extend(found.and_then(|old| old.get("id")).map(|id| ("id", id.to_owned())));
        line.lead(&lead);
    }
    let mut texts: Vec<String> = lines.iter().map(Object::write).collect();
    for line in gone {
        if let Some(id) = line.get("id") {
            texts.push(format!("{{\"_status\":\"Delete\",\"id\":{id}}}"));
        }
    }
    document.set(name, &list(&texts));
    Ok(())
}

/// The body of a save of these documents.
pub(crate) fn save(target: &TargetConfig, documents: &[String]) -> String {
    let mut body = Object::default();
    let data = match target.body {
        BodyForm::Bare => return documents.concat(),
        BodyForm::BareArray => return list(documents),
        BodyForm::Object => documents.concat(),
        BodyForm::Array => list(documents),
    };
    body.set("data", &data);
    for (name, value) in &target.params {
        body.set(name, &value.to_string());
    }
    body.write()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::targets::built_in;

    fn target(name: &str) -> TargetConfig {
        built_in().into_iter().find(|target| target.name == name).unwrap()
    }

    fn body(name: &str, text: &str, current: Option<&Current>) -> Result<String, Refusal> {
        let target = target(name);
        let document = stamped(text, &target, Stamp { key: "K", source: "S-1", current })?;
        Ok(save(&target, &[document]))
    }

    #[test]
    fn the_key_has_its_place_and_numbers_stay_as_written() {
        let order = r#"{"qty":1.50,"id_of_mine":1234567890123456789,"purchaseOrders":[{"rowno":"10","qty":0.10},{"_status":"Unchanged"}]}"#;
        let boms = r#"{"a":1,"bomComponent":[{"b":1,"bomAlternate":[{"c":1}]},{"b":2}]}"#;
        let lines = [
            body("purchase-order", order, None),
            body("bill-of-material", boms, None),
            body("voucher", r#"{"bodies":[{"debit":0.10}]}"#, None),
            body("receivable", r#"{"a":"x","anything":[{"b":1}],"tags":["t"],"none":null}"#, None),
            body("supplier", r#"{"code":"A-1"}"#, None),
            body("supplier", r#"{"code":"A-1","sourceUnique":"mine"}"#, None),
            body("purchase-order", r#"{"resubmitCheckKey":"mine"}"#, None),
            body("purchase-order", r#"{"purchaseOrders":{}}"#, None),
        ];
        insta::assert_snapshot!(lines.map(|line| line.unwrap_or_else(|why| format!("refused: {why}"))).join("\n"));
    }

    #[test]
    fn an_update_names_the_id_the_lock_and_every_line() {
        let has = |text: &str, has_lines| Current { document: Object::parse(text).unwrap(), has_lines };
        let at_target = has(
            r#"{"id":2410387773493760123,"code":"C","pubts":"2026-01-05 18:13:17","purchaseOrders":[{"id":"2410387773526528456","rowno":10},{"id":2410387773526528457,"rowno":"20"}]}"#,
            true,
        );
        let bare = has(r#"{"id":"7","pubts":"2026-01-05 18:13:17"}"#, false);
        let lines = [
            // The first line is changed, the second one gone, the third one new.
            body("purchase-order", r#"{"purchaseOrders":[{"rowno":"10","qty":2},{"rowno":"30"}]}"#, Some(&at_target)),
            // Without a number the lines are replaced.
            body("purchase-order", r#"{"purchaseOrders":[{"qty":2}]}"#, Some(&at_target)),
            // The mapping knows the ids.
            body("purchase-order", r#"{"purchaseOrders":[{"id":2410387773526528457,"qty":2}]}"#, Some(&at_target)),
            // Lines that are not spoken of stay as they are.
            body("purchase-order", r#"{"memo":"m","id":"other"}"#, Some(&at_target)),
            // Unknown lines would be doubled.
            body("receivable", r#"{"lines":[{"qty":2}]}"#, Some(&bare)),
            body("receivable", r#"{"lines":[{"id":"8","qty":2}]}"#, Some(&bare)),
            body("receivable", r#"{"memo":"m"}"#, Some(&bare)),
        ];
        insta::assert_snapshot!(lines.map(|line| line.unwrap_or_else(|why| format!("refused: {why}"))).join("\n"));
    }
}
