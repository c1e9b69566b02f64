//! The words of the command line.

use std::str::FromStr;

use crate::Result;

/// What is left of the command line.
#[derive(Debug)]
pub(crate) struct Args(Vec<String>);

impl Args {
    /// The arguments of this process, without its name.
    pub(crate) fn of_process() -> Self {
        Self(std::env::args().skip(1).collect())
    }

    /// Takes the first word, whatever it is.
    pub(crate) fn word(&mut self) -> Option<String> {
        (!self.0.is_empty()).then(|| self.0.remove(0))
    }

    /// Takes the first word, unless it is an option.
    pub(crate) fn name(&mut self) -> Option<String> {
        if self.0.first()?.starts_with('-') { None } else { self.word() }
    }

    /// Takes the option `name`, which has no value.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        let at = self.0.iter().position(|word| word == name);
        at.map(|at| self.0.remove(at)).is_some()
    }

    /// Takes the option `name` with its value, written `--name value` or `--name=value`.
    ///
    /// # Errors
    /// If the value is missing or of another kind.
    pub(crate) fn option<T: FromStr>(&mut self, name: &str) -> Result<Option<T>> {
        let joined = format!("{name}=");
        let Some(at) = self.0.iter().position(|word| word == name || word.starts_with(&joined)) else {
            return Ok(None);
        };
        let word = self.0.remove(at);
        let value = match word.strip_prefix(&joined) {
            Some(value) => value.to_owned(),
            None if at < self.0.len() => self.0.remove(at),
            None => return Err(format!("`{name}` needs a value").into()),
        };
        value.parse().map(Some).map_err(|_| format!("`{name}` does not take `{value}`").into())
    }

    /// Refuses what nobody has taken.
    ///
    /// # Errors
    /// Names the first word that is left.
    pub(crate) fn finish(self) -> Result {
        match self.0.first() {
            Some(word) => Err(format!("`{word}` is not understood here; see `cargo xtask help`").into()),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(line: &str) -> Args {
        Args(line.split_whitespace().map(str::to_owned).collect())
    }

    #[test]
    fn takes_words_options_and_flags_in_any_order() {
        let mut args = args("chaos --seed=7 --release --kills 20");
        assert_eq!(args.word().as_deref(), Some("chaos"));
        assert_eq!(args.name(), None);
        assert_eq!(args.option::<u32>("--kills").unwrap(), Some(20));
        assert_eq!(args.option::<u64>("--seed").unwrap(), Some(7));
        assert!(args.flag("--release") && !args.flag("--release"));
        args.finish().unwrap();
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        assert!(args("--kills many").option::<u32>("--kills").is_err());
        assert!(args("--kills").option::<u32>("--kills").is_err());
        assert!(args("--kils 3").finish().is_err());
    }
}
