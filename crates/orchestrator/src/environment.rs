//! The one place that reads the environment: variables, locale, and whether a person is watching.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;

use crate::text::Lang;

/// What surrounds the process.
#[derive(Clone, Debug)]
pub(crate) struct Environment {
    variables: Variables,
    /// Whether standard output is a terminal.
    pub(crate) out_is_terminal: bool,
    /// Whether standard error is a terminal.
    pub(crate) err_is_terminal: bool,
    /// Whether standard input is a terminal, so that a person can be asked.
    pub(crate) in_is_terminal: bool,
}

#[derive(Clone, Debug)]
enum Variables {
    Process,
    #[cfg_attr(not(test), expect(dead_code, reason = "tests bring their own"))]
    Given(BTreeMap<String, String>),
}

impl Environment {
    /// The surroundings of this process.
    pub(crate) fn of_process() -> Self {
        Self {
            variables: Variables::Process,
            out_is_terminal: std::io::stdout().is_terminal(),
            err_is_terminal: std::io::stderr().is_terminal(),
            in_is_terminal: std::io::stdin().is_terminal(),
        }
    }

    /// No terminal, and these variables.
    #[cfg(test)]
    pub(crate) fn of(variables: &[(&str, &str)]) -> Self {
        let given = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self {
            variables: Variables::Given(given),
            out_is_terminal: false,
            err_is_terminal: false,
            in_is_terminal: false,
        }
    }

    /// A variable that is set to UTF-8 text.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        match &self.variables {
            Variables::Process => std::env::var(name).ok(),
            Variables::Given(given) => given.get(name).cloned(),
        }
    }

    /// The language of the locale, in the order in which POSIX looks for it.
    pub(crate) fn lang(&self) -> Lang {
        let locale =
            ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(|name| self.variable(name).filter(|v| !v.is_empty()));
        locale.map_or(Lang::En, |locale| Lang::of_locale(&locale))
    }

    /// Whether colours are unwelcome, see <https://no-color.org>.
    pub(crate) fn no_color(&self) -> bool {
        self.variable("NO_COLOR").is_some_and(|v| !v.is_empty()) || self.variable("TERM").as_deref() == Some("dumb")
    }
}
