//! `_findCollection find F from S where A={{x}} B={{y}}`: a value looked up in the stored records of another scheme.

use super::template::{self, Part};

/// A look-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Find {
    /// The field whose value is wanted.
    pub(crate) field: String,
    /// The other scheme.
    pub(crate) scheme: String,
    /// Fields of its records, and what they have to be; all of them have to hold.
    pub(crate) conditions: Vec<(String, Vec<Part>)>,
}

/// Reads what follows `_findCollection`.
///
/// # Errors
/// What is missing, in one sentence.
pub(crate) fn parse(text: &str) -> Result<Find, String> {
    let form = "it has to be `_findCollection find FIELD from SCHEME where A={{x}}`";
    let rest = text.trim().strip_prefix("find ").ok_or(form)?;
    let (field, rest) = rest.split_once(" from ").ok_or(form)?;
    let (scheme, rest) = rest.split_once(" where ").ok_or(form)?;
    let (field, scheme) = (field.trim(), scheme.trim());
    if field.is_empty() || scheme.is_empty() || field.contains(' ') || scheme.contains(' ') {
        return Err(form.to_owned());
    }
    let mut conditions = Vec::new();
    // Blanks separate conditions, but those inside braces do not.
    for condition in split_outside_braces(rest) {
        let (name, value) = condition.split_once('=').ok_or_else(|| format!("`{condition}` is no `FIELD=VALUE`"))?;
        let value = template::parse(value).map_err(|_| format!("the braces of `{condition}` do not match"))?;
        if name.is_empty() || value.is_empty() {
            return Err(format!("`{condition}` is no `FIELD=VALUE`"));
        }
        conditions.push((name.to_owned(), value));
    }
    if conditions.is_empty() {
        return Err(form.to_owned());
    }
    Ok(Find { field: field.to_owned(), scheme: scheme.to_owned(), conditions })
}

fn split_outside_braces(text: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut depth = 0usize;
    for c in text.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ' ' if depth == 0 => {
                all.push(String::new());
                continue;
            }
            _ => {}
        }
        all.last_mut().expect("there is one from the start").push(c);
    }
    all.retain(|part| !part.is_empty() && !part.eq_ignore_ascii_case("and"));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_separated_by_blanks() {
        let find = parse("find FNumber from 0b1c-uuid where Code={{ shop.no }} Org=100").unwrap();
        assert_eq!((find.field.as_str(), find.scheme.as_str()), ("FNumber", "0b1c-uuid"));
        let names: Vec<_> = find.conditions.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["Code", "Org"]);
        for text in ["", "find A from B", "find A from B where ", "find A B from C where D=1", "find A from B where D"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
