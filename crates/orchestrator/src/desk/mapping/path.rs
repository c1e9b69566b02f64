//! Paths with `[*]` for every element of a list, and what a rule writes for them where it stands.

use std::fmt;

/// One name of a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Step {
    pub(super) name: String,
    /// Whether it goes into every element of the list of that name.
    pub(super) is_list: bool,
}

/// A path from a record or a document: `lines[*].qty`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Steps(pub(super) Vec<Step>);

impl Steps {
    /// Reads `a.b`, `lines[*].qty`, `"a.b".c`; an element with a number counts as every element. `None` if it is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut steps = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (name, after) = match rest.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"')?,
                None => rest.split_at(rest.find(['.', '[']).unwrap_or(rest.len())),
            };
            if name.is_empty() {
                return None;
            }
            let mut step = Step { name: name.to_owned(), is_list: false };
            rest = after;
            while let Some(inner) = rest.strip_prefix('[') {
                let (index, after) = inner.split_once(']')?;
                if index != "*" && index.parse::<usize>().is_err() {
                    return None;
                }
                step.is_list = true;
                rest = after;
            }
            steps.push(step);
            if !rest.is_empty() {
                rest = rest.strip_prefix('.').filter(|rest| !rest.is_empty())?;
            }
        }
        (!steps.is_empty()).then_some(Self(steps))
    }

    /// The path with a further name.
    pub(super) fn and(&self, name: &str, is_list: bool) -> Self {
        let mut steps = self.0.clone();
        steps.push(Step { name: name.to_owned(), is_list });
        Self(steps)
    }

    /// This path, and `further` from there.
    pub(super) fn join(&self, further: &Self) -> Self {
        Self(self.0.iter().chain(&further.0).cloned().collect())
    }

    /// The path of the elements of the list that this is the path of.
    pub(super) fn elements(mut self) -> Self {
        if let Some(last) = self.0.last_mut() {
            last.is_list = true;
        }
        self
    }

    /// The path of the list whose elements this is the path of.
    pub(super) fn whole(mut self) -> Self {
        if let Some(last) = self.0.last_mut() {
            last.is_list = false;
        }
        self
    }

    /// What follows `start`, if the path begins with it.
    pub(super) fn after(&self, start: &Self) -> Option<Self> {
        self.0.strip_prefix(start.0.as_slice()).map(|rest| Self(rest.to_vec()))
    }

    /// The path with `list` in the place of `[*]`.
    fn write(&self, list: &str) -> String {
        let mut text = String::new();
        for step in &self.0 {
            if !text.is_empty() {
                text.push('.');
            }
            if step.name.contains(['.', '[', ']', '$', '@']) {
                text.extend(["\"", &step.name, "\""]);
            } else {
                text.push_str(&step.name);
            }
            if step.is_list {
                text.push_str(list);
            }
        }
        text
    }
}

impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.write("[*]"))
    }
}

/// Where a rule stands: what its paths are relative to.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    /// The list that makes several documents of one record.
    pub(super) explode: Option<Steps>,
    /// The element of the innermost `each`; empty outside.
    pub(super) element: Steps,
}

impl Scope {
    /// The path from the record that a rule means by `text`.
    pub(super) fn absolute(&self, text: &str) -> Option<Steps> {
        if text == "@" {
            return Some(self.element.clone());
        }
        if text == "$" {
            return Some(Steps::default());
        }
        if let Some(path) = text.strip_prefix("$.") {
            return Some(self.exploded(Steps::parse(path)?));
        }
        let path = Steps::parse(text.strip_prefix("@.").unwrap_or(text))?;
        if self.element.0.is_empty() {
            return Some(self.exploded(path));
        }
        Some(self.element.join(&path))
    }

    /// A path that begins with the exploded list leads into its element.
    fn exploded(&self, mut path: Steps) -> Steps {
        if let Some(list) = &self.explode
            && path.0.len() >= list.0.len()
        {
            let n = list.0.len();
            let same = path.0.iter().zip(&list.0).all(|(a, b)| a.name == b.name && !a.is_list);
            path.0[n - 1].is_list |= same;
        }
        path
    }

    /// What a rule writes here for a path from the record.
    pub(super) fn relative(&self, path: &Steps) -> String {
        let inside = (!self.element.0.is_empty()).then(|| path.after(&self.element)).flatten();
        if let Some(rest) = inside {
            return if rest.0.is_empty() { "@".to_owned() } else { rest.write("[0]") };
        }
        let mut path = path.clone();
        if let Some(list) = &self.explode
            && path.after(&list.clone().elements()).is_some()
        {
            path.0[list.0.len() - 1].is_list = false;
        }
        let text = path.write("[0]");
        if self.element.0.is_empty() { text } else { format!("$.{text}") }
    }

    /// The scope of the elements of a list.
    pub(super) fn of_elements(&self, list: Steps) -> Self {
        Self { explode: self.explode.clone(), element: list.elements() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(text: &str) -> Steps {
        Steps::parse(text).unwrap()
    }

    #[test]
    fn paths_are_read_and_written() {
        for text in ["a", "a.b", "lines[*].qty", "\"a.b\".c", "a[*].b[*].c", "单价"] {
            assert_eq!(steps(text).to_string(), text);
        }
        assert_eq!(steps("a[0].b").to_string(), "a[*].b");
        for text in ["", ".", "a.", "a..b", "a[x]", "a[", "\"a", "[*]"] {
            assert_eq!(Steps::parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_a_rule_writes_is_what_it_means() {
        let outside = Scope::default();
        let inside = outside.of_elements(steps("items"));
        let exploded = Scope { explode: Some(steps("orders")), ..Scope::default() };
        for (scope, path, written) in [
            (&outside, "a.b", "a.b"),
            (&outside, "items[*].qty", "items[0].qty"),
            (&inside, "items[*].qty", "qty"),
            (&inside, "items[*]", "@"),
            (&inside, "tid", "$.tid"),
            (&exploded, "orders[*].oid", "orders.oid"),
            (&exploded, "tid", "tid"),
        ] {
            assert_eq!(scope.relative(&steps(path)), written, "{path}");
            assert_eq!(scope.absolute(written), Some(steps(path)), "{written}");
        }
    }
}
