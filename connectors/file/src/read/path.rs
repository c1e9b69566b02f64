//! Where the records are in a JSON file: names of fields, and `[*]` for each element of a list.

use std::fmt;

use milkrun_core::{Error, Result};

/// The way from the root to the records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RecordPath(Vec<Step>);

/// One step of the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Into the field of that name.
    Field(String),
    /// Into each element of a list.
    Each,
}

impl RecordPath {
    /// Each element of the root list.
    pub(crate) fn root_list() -> Self {
        Self(vec![Step::Each])
    }

    /// The steps, from the root.
    pub(crate) fn steps(&self) -> &[Step] {
        &self.0
    }

    /// The first `n` steps, as they are written.
    pub(crate) fn prefix(&self, n: usize) -> String {
        let prefix = Self(self.0[..n].to_vec()).to_string();
        if prefix.is_empty() { "the root".to_owned() } else { format!("`{prefix}`") }
    }

    /// Reads a path such as `[*].ClientList[*]`; a name with dots or brackets is written as `["a.b"]`.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`](milkrun_core::ErrorKind::ConfigInvalid) says where it cannot be read.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let wrong = |at: &str| {
            Error::config("`records` is not a path")
                .with("records", text)
                .with("at", if at.is_empty() { "its end" } else { at })
                .advise("write it as `data.list[*]` or `[*].ClientList[*]`")
        };
        let mut steps = Vec::new();
        let mut rest = text.strip_prefix('$').unwrap_or(text);
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix("[*]") {
                steps.push(Step::Each);
                rest = after;
            } else if rest.starts_with("[\"") {
                let mut names = serde_json::Deserializer::from_str(&rest[1..]).into_iter::<String>();
                let Some(Ok(name)) = names.next() else { return Err(wrong(rest)) };
                let after = &rest[1 + names.byte_offset()..];
                rest = after.strip_prefix(']').ok_or_else(|| wrong(after))?;
                steps.push(Step::Field(name));
            } else {
                let dotted = rest.strip_prefix('.');
                let name = dotted.unwrap_or(rest);
                let (name, after) = name.split_at(name.find(['.', '[', ']']).unwrap_or(name.len()));
                if name.is_empty() || (dotted.is_none() && !steps.is_empty()) {
                    return Err(wrong(rest));
                }
                steps.push(Step::Field(name.to_owned()));
                rest = after;
            }
        }
        Ok(Self(steps))
    }
}

impl fmt::Display for RecordPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            match step {
                Step::Each => f.write_str("[*]")?,
                Step::Field(name) if name.contains(['.', '[', ']', '"']) => write!(f, "[{name:?}]")?,
                Step::Field(name) if i == 0 => f.write_str(name)?,
                Step::Field(name) => write!(f, ".{name}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_and_written() {
        for text in ["", "[*]", "[*].ClientList[*]", "data.list[*]", "a", "[\"a.b\"].c[*][*]", "单据[*]"] {
            assert_eq!(RecordPath::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(RecordPath::parse("$.data[*]").unwrap().steps().len(), 2);
        for text in ["[0]", "a..b", "a.", "[*]b", "[\"a\"", "a]"] {
            assert!(RecordPath::parse(text).is_err(), "{text}");
        }
    }
}
