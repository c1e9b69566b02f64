//! Looks an expression over before it is compiled: names, arguments, and what could run without end.

use std::ops::Range;

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Pattern, Term};
use jaq_core::load::span;
use jaq_core::path::{Part, Path};
use milkrun_core::diagnostic::did_you_mean;
use milkrun_core::stream::UnitKind;

use super::functions::{HASHES, check_format, check_zone};
use super::library::Known;
use super::rewrite::ORIGIN;
use super::shape::{first_word, is_places, is_single, literal};
use super::{Around, Note};
use crate::keys::{ROUNDING, instead_of, meant};
use crate::path::Step;

/// Functions of other jq dialects that are left out, and why.
const LEFT_OUT: &[(&[&str], &str)] = &[
    (
        &["input", "inputs", "debug", "stderr", "env", "input_line_number", "input_filename", "halt", "halt_error"],
        "an expression sees its record and nothing outside",
    ),
    (
        &["now", "localtime", "strflocaltime", "today"],
        "an expression reads no clock, so that the same record gives the same document",
    ),
    (
        &["repeat", "until", "while", "recurse", "recurse_down", "combinations"],
        "nothing may go on without end; use `.[]`, `..`, `range`, `reduce` or `map`",
    ),
    (
        &["test", "match", "capture", "scan", "sub", "gsub", "splits", "ascii"],
        "there are no regular expressions; use `contains`, `startswith`, `split` or `replace`",
    ),
    (&["import", "include"], "an expression stands alone"),
    (
        &["sin", "cos", "sqrt", "pow", "log", "exp", "log10", "log2", "nan", "infinite"],
        "numbers are reckoned exactly, and this has no exact result",
    ),
    (&["strftime", "strptime", "todate", "fromdate", "mktime", "gmtime"], "use `format_date` and `parse_date`"),
];

/// What arguments are, by the number of them.
const ARGUMENTS: &[(&[&str], &str)] = &[
    (&["round", "fixed"], "decimals; rule"),
    (&["dec_add", "dec_sub", "dec_mul"], "b"),
    (&["dec_add", "dec_sub", "dec_mul", "dec_div"], "b; decimals; rule"),
    (&["cut", "left", "right", "nth", "add_days", "add_months"], "n"),
    (&["pad_left", "pad_right"], "width; character"),
    (&["replace"], "old; new"),
    (&["lookup", "lookup_required"], "table; key"),
    (&["lookup", "lookup_required"], "table; key; column"),
    (&["date", "datetime", "from_zone"], "zone"),
    (&["format_date", "parse_date"], "form"),
    (&["format_date", "parse_date"], "form; zone"),
    (&["limit", "skip"], "n; values"),
    (&["range"], "from; to"),
    (&["range"], "from; to; step"),
    (&["any", "all"], "values; condition"),
];

/// Functions that only the library calls.
pub(crate) const INTERNAL: &[&str] = &["sorted_pairs", "grouped_pairs"];

/// What people write, and the function that is meant.
const MEANT: &[(&str, &str)] = &[
    ("substr", "cut"),
    ("substring", "cut"),
    ("truncate", "cut"),
    ("concat", "join"),
    ("ifnull", "default"),
    ("coalesce", "first_non_empty"),
    ("nvl", "default"),
    ("lpad", "pad_left"),
    ("rpad", "pad_right"),
    ("toupper", "upper"),
    ("tolower", "lower"),
    ("number", "tonumber"),
    ("to_number", "tonumber"),
    ("text", "tostring"),
    ("to_text", "tostring"),
    ("string", "tostring"),
    ("sum", "dec_sum"),
    ("count", "length"),
    ("size", "length"),
    ("len", "length"),
    ("filter", "select"),
    ("where", "select"),
    ("fen2yuan", "fen_to_yuan"),
    ("yuan2fen", "yuan_to_fen"),
    ("vlookup", "lookup"),
    ("find", "lookup"),
    ("from_unixtime", "from_epoch_s"),
    ("date_format", "format_date"),
    ("to_date", "date"),
    ("add", "dec_add"),
    ("left_pad", "pad_left"),
    ("strip", "trim"),
];

/// What is found wrong with one expression.
pub(crate) struct Check<'s, 'a> {
    pub(crate) text: &'s str,
    pub(crate) around: &'a Around<'a>,
    pub(crate) known: &'a [Known],
    /// The path that the value before a `|` was taken from.
    pub(crate) origin: Option<Vec<Step>>,
    pub(crate) mistakes: Vec<Note>,
    pub(crate) warnings: Vec<Note>,
}

impl<'s> Check<'s, '_> {
    fn mistake(&mut self, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.mistakes.push(Note { span, message: message.into(), help: Some(help.into()) });
    }

    fn whole(&self) -> Range<usize> {
        0..self.text.len()
    }

    /// The place of a term: its first word that can be found in the text.
    fn place(&self, term: &Term<&'s str>) -> Range<usize> {
        first_word(term).map_or_else(|| self.whole(), |word| span(self.text, word))
    }

    /// Checks a term that is given something at `here`, a path from the record if it is known.
    pub(crate) fn term(&mut self, term: &Term<&'s str>, here: Option<&[Step]>) {
        match term {
            Term::Id | Term::Recurse | Term::Num(_) | Term::Break(_) | Term::Var(_) | Term::Arr(None) => {}
            Term::Str(format, parts) => {
                if let Some(format) = format.filter(|format| !matches!(*format, "@text" | "@json")) {
                    self.mistake(
                        span(self.text, format),
                        format!("there is no format `{format}`"),
                        "known: @text, @json",
                    );
                }
                for part in parts {
                    if let StrPart::Term(term) = part {
                        self.term(term, here);
                    }
                }
            }
            Term::Arr(Some(term)) | Term::Neg(term) | Term::Label(_, term) => self.term(term, here),
            Term::Obj(entries) => {
                for (key, value) in entries {
                    self.term(key, here);
                    if let Some(value) = value {
                        self.term(value, here);
                    }
                }
            }
            Term::BinOp(left, op, right) => self.operation(left, op, right, here),
            Term::Fold(_, list, pattern, steps) => {
                self.term(list, here);
                self.pattern(pattern);
                for step in steps {
                    self.term(step, None);
                }
            }
            Term::TryCatch(body, catch) => {
                self.term(body, here);
                if let Some(catch) = catch {
                    self.term(catch, None);
                }
            }
            Term::IfThenElse(branches, otherwise) => {
                for (condition, then) in branches {
                    self.term(condition, here);
                    self.term(then, here);
                }
                if let Some(otherwise) = otherwise {
                    self.term(otherwise, here);
                }
            }
            Term::Def(defs, body) => {
                let place = defs.first().map_or_else(|| self.whole(), |def| span(self.text, def.name));
                let help = "write out what it does; functions of one's own could go on without end";
                self.mistake(place, "an expression cannot define functions", help);
                self.term(body, here);
            }
            Term::Call(name, args) => self.call(name, args, here),
            Term::Path(of, path) => {
                self.term(of, here);
                self.path(path, here);
            }
        }
    }

    fn path(&mut self, path: &Path<Term<&'s str>>, here: Option<&[Step]>) {
        for (part, _) in &path.0 {
            let indexes = match part {
                Part::Index(index) => [Some(index), None],
                Part::Range(start, end) => [start.as_ref(), end.as_ref()],
            };
            for index in indexes.into_iter().flatten() {
                self.term(index, here);
                if !is_single(index) {
                    let place = self.place(index);
                    self.mistake(place, "between `[` and `]` stands one value", "write `.[0], .[1]` for several");
                }
            }
        }
    }

    fn pattern(&mut self, pattern: &Pattern<&'s str>) {
        match pattern {
            Pattern::Var(_) => {}
            Pattern::Arr(all) => all.iter().for_each(|one| self.pattern(one)),
            Pattern::Obj(all) => {
                for (key, one) in all {
                    self.term(key, None);
                    if !is_single(key) {
                        let place = self.place(key);
                        self.mistake(place, "a name in a pattern is one value", "write one entry for each");
                    }
                    self.pattern(one);
                }
            }
        }
    }

    fn operation(
        &mut self,
        left: &Term<&'s str>,
        op: &BinaryOp<&'s str>,
        right: &Term<&'s str>,
        here: Option<&[Step]>,
    ) {
        self.term(left, here);
        match op {
            BinaryOp::Pipe(Some(Pattern::Var(ORIGIN))) => {
                let outer = std::mem::replace(&mut self.origin, here.map(<[Step]>::to_vec));
                self.term(right, here);
                self.origin = outer;
                return;
            }
            BinaryOp::Pipe(None) => {
                let there = self.steps(left, here);
                return self.term(right, there.as_deref());
            }
            BinaryOp::Pipe(Some(pattern)) => self.pattern(pattern),
            BinaryOp::Assign | BinaryOp::Update | BinaryOp::UpdateMath(_) | BinaryOp::UpdateAlt => {
                self.updated(left);
            }
            BinaryOp::Math(op) => {
                for side in [left, right] {
                    self.money(side, op.as_str(), here);
                }
            }
            _ => {}
        }
        self.term(right, here);
    }

    /// What stands before `|=` has to lead to places, without steps that depend on how many there are.
    fn updated(&mut self, term: &Term<&'s str>) {
        if !is_places(term) {
            let place = self.place(term);
            self.mistake(place, "what is changed has to be a path", "for example `.lines[].qty |= tonumber`");
        }
    }

    fn call(&mut self, name: &'s str, args: &[Term<&'s str>], here: Option<&[Step]>) {
        let place = span(self.text, name);
        // What `map` and its like are given is the element.
        let element = here.map(|here| [here, &[Step::Every]].concat());
        let inside = match name {
            "map" | "sort_by" | "group_by" | "unique_by" | "min_by" | "max_by" | "map_values" => element.as_deref(),
            "select" | "first_non_empty" | "del" | "dec_add" | "dec_sub" | "dec_mul" | "dec_div" | "lookup"
            | "lookup_required" | "default" | "has" => here,
            _ => None,
        };
        for arg in args {
            self.term(arg, inside);
        }
        if matches!((name, args), ("del", [_])) {
            self.updated(&args[0]);
        }
        let arities: Vec<usize> = self.known.iter().filter(|(known, _)| *known == name).map(|(_, n)| *n).collect();
        if arities.is_empty() {
            let (message, help) = self.unknown(name);
            return self.mistake(place, message, help);
        }
        if !arities.contains(&args.len()) {
            let forms: Vec<String> = arities.iter().map(|&n| form(name, n)).collect();
            let message = format!("`{name}` is written {}", forms.join(" or "));
            let help = if matches!(args, [Term::BinOp(_, BinaryOp::Comma, _)]) {
                "arguments are separated by `;`, not by `,`"
            } else {
                "see the list of functions in docs/mapping.md"
            };
            return self.mistake(place, message, help);
        }
        self.literals(name, args);
    }

    fn unknown(&self, name: &str) -> (String, String) {
        let message = format!("there is no function `{name}`");
        let lower = name.to_lowercase();
        if let Some((_, why)) = LEFT_OUT.iter().find(|(names, _)| names.contains(&&*lower)) {
            return (message, (*why).to_owned());
        }
        let mut names: Vec<&str> = self.known.iter().map(|(known, _)| *known).collect();
        names.retain(|known| !INTERNAL.contains(known));
        names.dedup();
        let by_sense = MEANT.iter().find(|(said, _)| *said == lower).map(|(_, word)| *word);
        let near = by_sense.or_else(|| meant(name, &names));
        match near {
            Some(near) => (message, format!("did you mean `{near}`?")),
            None => (message, "functions are listed in docs/mapping.md; fields are written `.name`".to_owned()),
        }
    }

    /// Checks arguments that are written out.
    fn literals(&mut self, name: &str, args: &[Term<&'s str>]) {
        let text = |at: usize| args.get(at).and_then(literal);
        let rounding: Vec<&str> = ROUNDING.iter().map(|(word, _)| *word).collect();
        let rule = match name {
            "round" | "fixed" => text(1),
            "dec_add" | "dec_sub" | "dec_mul" | "dec_div" => text(2),
            _ => None,
        };
        if let Some(rule) = rule.filter(|rule| !rounding.contains(rule)) {
            let message = format!("`{rule}` is not a rounding rule");
            self.mistake(span(self.text, rule), message, instead_of(rule, &rounding));
        }
        if let (Some(how), "hash") = (text(0), name)
            && !HASHES.contains(&how)
        {
            self.mistake(span(self.text, how), format!("`{how}` is not a hash"), did_you_mean(how, HASHES));
        }
        let zone = match name {
            "date" | "datetime" | "from_zone" => text(0),
            "format_date" | "parse_date" => text(1),
            _ => None,
        };
        if let Some(zone) = zone.filter(|zone| !check_zone(zone)) {
            let help = "for example `Asia/Shanghai` or `+08:00`";
            self.mistake(span(self.text, zone), format!("`{zone}` is not a time zone"), help);
        }
        if let (Some(format), "format_date" | "parse_date") = (text(0), name)
            && let Some(reason) = check_format(format)
        {
            let message = format!("`{format}` is not the form of a date: {reason}");
            self.mistake(span(self.text, format), message, "for example `%Y-%m-%d %H:%M:%S`");
        }
        if matches!(name, "lookup" | "lookup_required") {
            self.lookup(text(0), text(2), args.get(1));
        }
    }

    fn lookup(&mut self, table: Option<&'s str>, column: Option<&'s str>, key: Option<&Term<&'s str>>) {
        let Some(name) = table else { return };
        let tables = self.around.tables;
        let Some(table) = tables.get(name) else {
            let names: Vec<&str> = tables.names().collect();
            let help = if names.is_empty() {
                format!("declare it as `[tables.{name}]` in the flow")
            } else {
                instead_of(name, &names)
            };
            return self.mistake(span(self.text, name), format!("there is no table `{name}`"), help);
        };
        let known: Vec<&str> = table.columns().iter().map(String::as_str).collect();
        let asked = match key {
            Some(Term::Obj(entries)) => entries.iter().filter_map(|(key, _)| literal(key)).collect(),
            _ => Vec::new(),
        };
        for column in asked.into_iter().chain(column).filter(|column| !known.contains(column)) {
            let message = format!("the table `{name}` has no column `{column}`");
            self.mistake(span(self.text, column), message, instead_of(column, &known));
        }
    }

    /// Warns of reckoning with money whose unit is not what one would think, and of quotients.
    fn money(&mut self, term: &Term<&'s str>, sign: &'static str, here: Option<&[Step]>) {
        let Some(steps) = self.steps(term, here) else { return };
        let Some(unit) = (self.around.unit_of)(&steps) else { return };
        let place = self.place(term);
        let word = self.text.get(place.clone()).filter(|word| place != self.whole() && !word.starts_with('$'));
        let it = word.map_or_else(|| "this".to_owned(), |word| format!("`{word}`"));
        let (message, help) = match (unit, sign) {
            (UnitKind::Fen, _) => (
                format!("{it} is in fen, and `{sign}` reckons in fen"),
                "put `fen_to_yuan` behind it: `(.amount | fen_to_yuan)`",
            ),
            (UnitKind::Yuan, "/") => (
                "a quotient of money that does not come out even refuses the record".to_owned(),
                "round it by a rule: `dec_div(.n; 2; \"half-up\")`",
            ),
            _ => return,
        };
        self.warnings.push(Note { span: place, message, help: Some(help.to_owned()) });
    }

    /// The path that a term leads to, if it is one.
    fn steps(&self, term: &Term<&'s str>, here: Option<&[Step]>) -> Option<Vec<Step>> {
        match term {
            Term::Id => here.map(<[Step]>::to_vec),
            Term::Var("$record") => Some(Vec::new()),
            Term::Var(ORIGIN) => self.origin.clone(),
            Term::Var("$element") => self.around.element.map(<[Step]>::to_vec),
            Term::BinOp(left, BinaryOp::Pipe(None), right) => {
                let there = self.steps(left, here)?;
                self.steps(right, Some(&there))
            }
            Term::Call("select" | "tonumber" | "default", args) if args.len() <= 1 => here.map(<[Step]>::to_vec),
            Term::Path(of, path) => {
                let mut steps = self.steps(of, here)?;
                for (part, _) in &path.0 {
                    steps.push(match part {
                        Part::Index(Term::Num(_)) | Part::Range(None, None) => Step::Every,
                        Part::Index(index) => Step::Name(literal(index)?.to_owned()),
                        Part::Range(..) => return None,
                    });
                }
                Some(steps)
            }
            _ => None,
        }
    }
}

/// How a function is called.
fn form(name: &str, arity: usize) -> String {
    match arity {
        0 => format!("`{name}`"),
        n => {
            let known = ARGUMENTS.iter().find(|(names, args)| names.contains(&name) && args.split("; ").count() == n);
            let args = known.map_or_else(|| vec!["…"; n].join("; "), |(_, args)| (*args).to_owned());
            format!("`{name}({args})`")
        }
    }
}
