//! Compiles the keys that say what happens to a value: type, unit, rounding, format, length and so on.

use jiff::tz::TimeZone;
use milkrun_core::diagnostic::{did_you_mean, nearest};
use milkrun_core::stream::UnitKind;

use crate::compile::Compiler;
use crate::compile_rule::{From, Keys, KnownUnit, plain};
use crate::decimal::Round;
use crate::filter::Literal;
use crate::keys::{INPUTS, ROUND, ROUNDING, TYPES, Type, UNITS, Unit, WRITE_AS};
use crate::reader::{Mistakes, Value, entries};
use crate::rule::{self, Absent, Case, Convert, Lookup, Shape};
use crate::time::{self, Output};

/// The time that means "none" where a stream says that its times are milliseconds.
const NO_TIME: &str = "946656000000";

/// The most digits after the point, and the longest text.
const MOST_DIGITS: u32 = 100;
const LONGEST_TEXT: u32 = 10_000_000;

impl Compiler<'_> {
    /// A rule that takes a value; every key is looked at, even if the path was wrong.
    pub(crate) fn value(&mut self, from: Option<From>, keys: &mut Keys<'_, '_>) -> Option<rule::Value> {
        if let (Some(entry), true) = (keys.entry("from"), from.as_ref().is_some_and(|f| f.sources.is_empty())) {
            self.mistakes.note(entry.value.span(), "`from` lists no path");
        }
        let n_before = self.mistakes.0.len();
        let units = from.as_ref().map_or(&[][..], |f| &f.units);
        let kind = keys.take("type").map(|t| self.mistakes.word("type", t, TYPES));
        // A type that is not known is noted once; the keys that belong to types are then taken on trust.
        if kind == Some(None) {
            keys.all.iter_mut().for_each(|(_, used)| *used = true);
            return None;
        }
        let kind = kind.flatten();
        let quoted = kind.filter(|k| k.is_number() || k.is_timestamp()).and_then(|_| keys.take("write_as"));
        let quoted = quoted.and_then(|w| self.mistakes.word("write_as", w, WRITE_AS)).unwrap_or(false);
        let convert = self.convert(kind, quoted, units, keys);
        let none = self.none(kind, units, keys);
        let values = self.lookup(keys);
        let absent = self.absent(keys);
        let trim = self.flag("trim", keys);
        let shapeable = match kind {
            None | Some(Type::Text | Type::Date | Type::DateTime) => true,
            Some(Type::Json | Type::Boolean) => false,
            Some(_) => quoted,
        };
        let shape = if shapeable { self.shape(keys) } else { None };
        if self.mistakes.0.len() > n_before {
            return None;
        }
        let mut value = rule::Value {
            required: absent.required,
            none,
            values,
            trim,
            convert,
            shape,
            absent,
            ..plain(from?.sources)
        };
        value.plain = is_plain(&value);
        Some(value)
    }

    /// What means null: as the rule says, else as the stream says.
    fn none(&mut self, kind: Option<Type>, units: &[KnownUnit], keys: &mut Keys<'_, '_>) -> Vec<Literal> {
        if let Some(value) = keys.take("none") {
            let list = Mistakes::one_or_more(value);
            return list.into_iter().filter_map(|one| self.mistakes.literal("none", one)).collect();
        }
        let known = units.iter().find(|known| known.unit == UnitKind::EpochMs);
        match (kind, known) {
            (Some(kind), Some(known)) if kind.is_time() => {
                self.implied.extend([" ", &known.path, "=", NO_TIME]);
                vec![Literal { text: NO_TIME.to_owned(), number: true }]
            }
            _ => Vec::new(),
        }
    }

    fn lookup(&mut self, keys: &mut Keys<'_, '_>) -> Option<Lookup> {
        let value = keys.take("values")?;
        let otherwise = keys.take("otherwise").and_then(|o| self.mistakes.json("otherwise", o));
        let table = self.mistakes.table("values", value)?;
        let known: Vec<(String, String)> = entries(table)
            .iter()
            .filter_map(|e| Some((e.name.to_owned(), self.mistakes.json("values", e.value)?)))
            .collect();
        if known.is_empty() {
            self.mistakes.add(
                value.span(),
                "`values` lists no value",
                "for example `{ \"1\" = \"off\", \"3\" = \"on\" }`",
            );
        }
        Some(Lookup { known, otherwise })
    }

    fn convert(&mut self, kind: Option<Type>, quoted: bool, units: &[KnownUnit], keys: &mut Keys<'_, '_>) -> Convert {
        match kind {
            None | Some(Type::Json) => Convert::AsCame,
            Some(Type::Text) => Convert::Text,
            Some(Type::Boolean) => Convert::Boolean,
            Some(kind) if kind.is_number() => self.number(kind, quoted, units, keys),
            Some(kind) => self.time(kind, quoted, keys),
        }
    }

    fn number(&mut self, kind: Type, quoted: bool, units: &[KnownUnit], keys: &mut Keys<'_, '_>) -> Convert {
        let whole = kind == Type::Integer;
        let unit = keys.take("unit").map(|u| self.mistakes.word("unit", u, UNITS));
        if unit != Some(None) {
            self.warn_of_unit(kind, unit.flatten(), units);
        }
        let round = keys.take("round").and_then(|r| self.round(r, whole));
        let scale = if whole { None } else { keys.take("scale") };
        let scale = scale.and_then(|s| self.mistakes.count("scale", s, 0..MOST_DIGITS + 1)).unwrap_or(0);
        let shift = unit.flatten().map_or(0, Unit::shift);
        Convert::Number(rule::Number { whole, shift, round, scale, quoted })
    }

    /// Warns of money that would be a hundred times too much or too little.
    fn warn_of_unit(&mut self, kind: Type, unit: Option<Unit>, known: &[KnownUnit]) {
        for KnownUnit { unit: known, path, span } in known {
            let (message, help) = match (known, unit) {
                (UnitKind::Fen, None) if kind == Type::Decimal => (
                    format!("`{path}` is in fen, and fen would be written"),
                    "add `unit = \"fen-to-yuan\"`, or `unit = \"as-is\"` if fen are meant",
                ),
                (UnitKind::Fen, Some(Unit::YuanToFen)) => (format!("`{path}` is in fen already"), "remove `unit`"),
                (UnitKind::Yuan, Some(Unit::FenToYuan)) => (format!("`{path}` is in yuan already"), "remove `unit`"),
                _ => continue,
            };
            self.warnings.add(span.clone(), message, help);
        }
    }

    fn round(&mut self, value: &Value<'_>, whole: bool) -> Option<Round> {
        let Some(table) = value.get_ref().as_table() else {
            let help = "for example `round = { scale = 2, rule = \"half-up\" }`";
            self.mistakes.add(value.span(), "`round` must be a table with `scale` and `rule`", help);
            return None;
        };
        let all = entries(table);
        for entry in all.iter().filter(|e| !ROUND.contains(&e.name)) {
            self.mistakes.unknown_key(entry, "`round`", ROUND);
        }
        let get = |name: &str| all.iter().find(|e| e.name == name).map(|e| e.value);
        let scale = get("scale").map(|s| self.mistakes.count("scale", s, 0..MOST_DIGITS + 1));
        let rule = get("rule").map(|r| self.mistakes.word("rule", r, ROUNDING));
        for (name, given) in [("scale", scale.is_some()), ("rule", rule.is_some())] {
            if !given {
                let help = "for example `round = { scale = 2, rule = \"half-up\" }`";
                self.mistakes.add(value.span(), format!("`round` lacks `{name}`"), help);
            }
        }
        let (scale, rule) = (scale??, rule??);
        if whole && scale != 0 {
            self.mistakes.note(value.span(), "a whole number is rounded with `scale = 0`");
        }
        Some(Round { scale, rule })
    }

    fn time(&mut self, kind: Type, quoted: bool, keys: &mut Keys<'_, '_>) -> Convert {
        let input =
            keys.take("input").and_then(|i| self.mistakes.word("input", i, INPUTS)).unwrap_or(time::Input::Auto);
        let from = self.options.zone.clone();
        let mut to = from.clone();
        let mut output = match kind {
            Type::Date => Output::Date,
            Type::TimestampMs => Output::Millis,
            Type::TimestampSecs => Output::Secs,
            _ => Output::DateTime,
        };
        if !kind.is_timestamp() {
            if let Some(zone) = keys.take("zone") {
                to = self.zone(zone).unwrap_or(to);
            }
            let format = keys.take("format").and_then(|f| self.format(f));
            if let Some(format) = format {
                output = Output::Format { format, day: kind == Type::Date };
            }
        }
        Convert::Time(rule::Time { input, from, to, output, quoted: quoted || !kind.is_timestamp() })
    }

    fn zone(&mut self, value: &Value<'_>) -> Option<TimeZone> {
        let name = self.mistakes.text("zone", value)?;
        let zone = time::zone(name);
        if zone.is_none() {
            let lower = name.to_lowercase();
            let chinese =
                ["beijing", "peking", "gmt+8", "utc+8", "gmt+08:00", "utc+08:00", "cst", "china", "北京", "东八区"];
            let help = if chinese.iter().any(|word| lower.contains(word)) {
                "did you mean `Asia/Shanghai`?".to_owned()
            } else {
                let names = jiff::tz::db().available().map(|n| n.as_str().to_owned()).filter(|n| n.contains('/'));
                let names: Vec<String> = names.collect();
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                match nearest(name, &names) {
                    Some(_) => did_you_mean(name, &names),
                    None => "for example `Asia/Shanghai` or `+08:00`".to_owned(),
                }
            };
            self.mistakes.add(value.span(), format!("`{name}` is not a time zone"), help);
        }
        zone
    }

    fn format(&mut self, value: &Value<'_>) -> Option<String> {
        let format = self.mistakes.text("format", value)?;
        if format == "rfc3339" {
            return Some("%Y-%m-%dT%H:%M:%S%.f%:z".to_owned());
        }
        let Some(wrong) = time::check_format(format) else { return Some(format.to_owned()) };
        let mut translated = format.to_owned();
        for (letters, sign) in
            [("yyyy", "%Y"), ("MM", "%m"), ("dd", "%d"), ("HH", "%H"), ("mm", "%M"), ("SSS", "%3f"), ("ss", "%S")]
        {
            translated = translated.replace(letters, sign);
        }
        let help = if translated != format && time::check_format(&translated).is_none() {
            format!("did you mean `{translated}`?")
        } else {
            "for example `%Y-%m-%d %H:%M:%S`, or `rfc3339`".to_owned()
        };
        self.mistakes.add(value.span(), format!("`{format}` is not a format of times: {wrong}"), help);
        None
    }

    fn shape(&mut self, keys: &mut Keys<'_, '_>) -> Option<Shape> {
        let max =
            keys.take("max_length").map(|m| (m.span(), self.mistakes.count("max_length", m, 1..LONGEST_TEXT + 1)));
        let cut = max.is_some() && self.flag("cut", keys);
        let (upper, lower) = (self.flag("upper", keys), self.flag("lower", keys));
        if upper && lower {
            let span = keys.entry("lower").map_or(0..0, |e| e.span.clone());
            self.mistakes.note(span, "a text cannot be both `upper` and `lower`");
        }
        let mut around = |name: &str| {
            let text = keys.take(name).and_then(|value| self.mistakes.text(name, value));
            text.unwrap_or_default().to_owned()
        };
        let (prefix, suffix) = (around("prefix"), around("suffix"));
        let n_around = prefix.chars().count() + suffix.chars().count();
        let max_length = max.as_ref().and_then(|(_, n)| n.map(|n| n as usize));
        if let (Some((span, _)), Some(most)) = (max, max_length)
            && n_around >= most
        {
            let message = format!("`max_length` leaves no room: prefix and suffix alone have {n_around} characters");
            self.mistakes.note(span, message);
        }
        let case = match (upper, lower) {
            (true, _) => Some(Case::Upper),
            (false, true) => Some(Case::Lower),
            (false, false) => None,
        };
        let shape = Shape { case, prefix, suffix, max_length, cut };
        let idle = shape.case.is_none() && n_around == 0 && shape.max_length.is_none();
        (!idle).then_some(shape)
    }
}

/// Whether what is there is copied and what is missing is left out, with no further question.
fn is_plain(value: &rule::Value) -> bool {
    let Absent { default, required, null } = &value.absent;
    value.from.len() == 1
        && !value.trim
        && value.none.is_empty()
        && value.values.is_none()
        && default.is_none()
        && !required
        && null.is_none()
        && matches!(value.convert, Convert::AsCame)
        && value.shape.is_none()
}
