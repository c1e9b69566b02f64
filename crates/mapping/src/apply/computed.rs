//! Where a record is mapped by expressions: what they are given, and what becomes of what they give.

use super::{Here, Outcome, Run, Written};
use crate::convert;
use crate::error::MapError;
use crate::expr::value::Val;
use crate::expr::{Expr, Failure, meter, write};
use crate::filter::Facts;
use crate::rule::{Computed, Source};

/// What the conditions of a filter are tested on.
pub(super) struct Seen<'a, 'm, 'r> {
    pub(super) run: &'a Run<'m>,
    pub(super) here: Here<'r>,
}

impl<'r> Facts<'r> for Seen<'_, '_, 'r> {
    fn fetch(&self, source: &Source) -> Option<&'r str> {
        self.run.fetch(source, self.here)
    }

    fn says(&self, expr: &Expr, in_element: bool) -> Result<bool, MapError> {
        match self.run.one_value(expr, self.run.input(self.here, in_element), self.here)? {
            Some(Val::Bool(flag)) => Ok(flag),
            None | Some(Val::Null) => Ok(false),
            Some(other) => {
                let reason = "is neither true nor false, and a filter has to be one of them";
                Err(MapError::new("expr", Some(&other.to_string()), reason))
            }
        }
    }
}

impl Run<'_> {
    /// Writes the value that an expression gives.
    pub(super) fn computed(&mut self, rule: &Computed, here: Here<'_>) -> Result<Written, MapError> {
        let given = rule.value.from.iter().filter_map(|source| self.fetch(source, here));
        let (mut is_null, mut raw) = (false, None);
        for value in given {
            is_null = true;
            if value != "null" {
                raw = Some(value);
                break;
            }
        }
        let input = match raw {
            Some(raw) => Some(write::read(raw)),
            None if rule.value.from.is_empty() => Some(self.input(here, rule.in_element)),
            None => None,
        };
        if let Some(input) = input {
            let value = self.one_value(&rule.expr, input, here)?;
            is_null = value.is_some();
            if let Some(value) = value.filter(|value| !matches!(value, Val::Null)) {
                let mut json = String::new();
                if !write::write(&value, &mut json) {
                    return Err(refusal(Failure::of_stop(meter::stopped().unwrap_or(meter::Stop::Steps))));
                }
                let before = self.out.len();
                let written = convert::write(&rule.value, &json, self.out);
                if written.map_err(|reason| MapError::new("expr", Some(&json), reason))? {
                    return Ok(Written::Yes);
                }
                self.out.truncate(before);
            }
        }
        self.absent(&rule.value.absent, is_null).map_err(|reason| MapError::new("expr", None, reason))
    }

    /// The documents that an expression gives.
    pub(super) fn transform(&mut self, expr: &Expr, here: Here<'_>) -> Result<Outcome, MapError> {
        let env = self.mapping.env.as_ref().expect("a mapping with an expression has what expressions know");
        let input = self.input(here, false);
        let (out, ends) = (&mut *self.out, &mut *self.ends);
        let mut n = 0;
        let result = expr.run(env, input.clone(), [input, Val::Null], |value| {
            if !matches!(value, Val::Obj(_)) {
                let value = Some(value.to_string());
                return Err(Failure { value, reason: "is no object, and a document is one".to_owned() });
            }
            if !write::write(&value, out) {
                return Err(Failure::of_stop(meter::stopped().unwrap_or(meter::Stop::Steps)));
            }
            ends.push(out.len());
            n += 1;
            Ok(())
        });
        result.map_err(|failure| refusal(failure).under("transform"))?;
        Ok(Outcome::Mapped { n })
    }

    /// The one value that an expression gives; `None` if it gives none.
    fn one_value(&self, expr: &Expr, input: Val, here: Here<'_>) -> Result<Option<Val>, MapError> {
        let env = self.mapping.env.as_ref().expect("a mapping with an expression has what expressions know");
        let record = self.known(0, here.record.text());
        let element = if here.exploded.is_empty() { Val::Null } else { self.known(1, here.exploded) };
        let mut only = None;
        let result = expr.run(env, input, [record, element], |value| {
            if only.is_some() {
                return Err(Failure::new("gives several values; put `[` and `]` around it to make them a list"));
            }
            only = Some(value);
            Ok(())
        });
        result.map_err(refusal)?;
        Ok(only)
    }

    /// What an expression is given: the element of an `each`, else the record.
    fn input(&self, here: Here<'_>, in_element: bool) -> Val {
        if in_element { self.known(2, here.element) } else { self.known(0, here.record.text()) }
    }

    /// The value of a text, read once as long as the same text is asked for.
    fn known(&self, slot: usize, text: &str) -> Val {
        let mut read = self.read.borrow_mut();
        match &read[slot] {
            Some((place, value)) if *place == text.as_ptr() => value.clone(),
            _ => {
                let value = write::read(text);
                read[slot] = Some((text.as_ptr(), value.clone()));
                value
            }
        }
    }
}

/// The refusal of a record whose expression fails.
fn refusal(Failure { value, reason }: Failure) -> MapError {
    MapError::new("expr", value.as_deref(), reason)
}
