//! Expressions of the mapping, written from what the metadata says.
//!
//! The argument of a function is evaluated on the function's own input, so what has to be taken from the record is bound
//! to a name first: `(.b) as $v1 | .a | dec_add($v1)`.

use std::fmt::Write as _;

use super::find::Find;
use super::function::{Expr, Operator};
use super::rule::Rule;
use super::target::Scope;
use super::template::{Form, Part, Slot};

/// How many decimals a division keeps that no `ROUND` stands around.
const DIVISION_SCALE: u32 = 10;

/// The path of a field of the input.
pub(crate) fn path(name: &str) -> String {
    let steps: String = name.split('.').map(step).collect();
    steps.replace(".[", "[")
}

/// The path of a field of the record, from inside a list.
pub(crate) fn record_path(name: &str) -> String {
    format!("$record{}", name.split('.').map(step).collect::<String>())
}

/// The path of a field of the element that a list was exploded into.
pub(crate) fn element_path(name: &str) -> String {
    format!("$element{}", name.split('.').map(step).collect::<String>())
}

fn step(name: &str) -> String {
    let first = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let plain = first && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if plain { format!(".{name}") } else { format!(".{}", text(name)) }
}

/// A text in quotes; nothing in it is evaluated.
pub(crate) fn text(text: &str) -> String {
    // JSON's escapes are jq's, and a backslash before a parenthesis is doubled by them.
    serde_json::Value::from(text).to_string()
}

/// What formats a time.
pub(crate) fn time(form: &str) -> String {
    format!("format_date({})", text(form))
}

/// What cuts a text to so many characters.
pub(crate) fn cut(n: u32) -> String {
    format!("tostring | cut({n})")
}

/// What rounds a number to so many decimals, and writes them all.
pub(crate) fn round(scale: u32, rule: &str) -> String {
    format!("tonumber | fixed({scale}; {}) | tostring", text(rule))
}

/// What joins a list.
pub(crate) fn join(separator: &str) -> String {
    format!("default([]) | map(tostring) | join({})", text(separator))
}

/// What splits a text; blank gives an empty list.
pub(crate) fn split(separator: &str) -> String {
    format!("default(\"\") | tostring | if trim == \"\" then [] else split({}) end", text(separator))
}

/// An object of rules; `None` if one of them has no expression.
pub(crate) fn object(fields: &[(String, Rule)]) -> Option<String> {
    let field = |(name, rule): &(String, Rule)| Some(format!("{}: {}", text(name), of_rule(rule)?));
    let fields: Option<Vec<_>> = fields.iter().map(field).collect();
    Some(format!("{{{}}}", fields?.join(", ")))
}

fn of_rule(rule: &Rule) -> Option<String> {
    match rule {
        Rule::Fields(fields) => object(fields),
        Rule::Each { .. } => None,
        Rule::Value(pairs) => {
            let get = |key: &str| pairs.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str());
            // Texts of TOML without escapes are texts of jq.
            let plain = |toml: &str| {
                let inside = toml.strip_prefix(['"', '\''])?.strip_suffix(['"', '\''])?;
                (!inside.contains('\\') && !inside.contains('"')).then(|| inside.to_owned())
            };
            let only = |keys: &[&str]| pairs.iter().all(|(key, _)| keys.contains(&key.as_str()));
            if let Some(expr) = get("expr").filter(|_| only(&["expr"])) {
                return plain(expr).map(|expr| format!("({expr})"));
            }
            if let Some(constant) = get("const").filter(|_| only(&["const"])) {
                return plain(constant).map(|constant| text(&constant));
            }
            let from = get("from").filter(|_| only(&["from", "type", "default"]) && get("type") == Some("\"text\""))?;
            let from = plain(from).filter(|from| !from.contains(['$', '@', '[']))?;
            Some(format!("({} | {AS_TEXT})", path(&from)))
        }
    }
}

/// Missing and null are empty text, as in templates.
pub(crate) const AS_TEXT: &str = "default(\"\") | tostring";

/// Text and templates put together.
pub(crate) fn concat(parts: &[Part], scope: &Scope) -> String {
    let part = |part: &Part| match part {
        Part::Text(plain) => {
            let quoted = text(plain);
            quoted[1..quoted.len() - 1].to_owned()
        }
        Part::Slot(slot) => format!("\\({} | {AS_TEXT})", slot_path(slot, scope)),
    };
    format!("\"{}\"", parts.iter().map(part).collect::<String>())
}

/// The field of a slot, in the form of its pipe. Slots of other kinds do not come here: they are refused before.
fn slot_path(slot: &Slot, scope: &Scope) -> String {
    let Slot::Field(name, form) = slot else { return "\"\"".to_owned() };
    let path = scope.field(name).jq;
    match form {
        None | Some(Form::Seconds) => path,
        Some(Form::Date) => format!("({path} | {})", time("%Y-%m-%d")),
        Some(Form::DateTime) => format!("({path} | {})", time("%Y-%m-%d %H:%M:%S")),
        Some(Form::Time) => format!("({path} | {})", time("%H:%M:%S")),
    }
}

/// The expression of a `_function`; it gives text, as the platform does.
///
/// # Errors
/// What has no counterpart, in one sentence.
pub(crate) fn expression(tree: &Expr, scope: &Scope) -> Result<String, String> {
    let mut writer = Writer { scope, n_names: 0 };
    let written = writer.any(tree)?;
    Ok(match written.kind {
        Kind::Text => written.jq,
        Kind::Number | Kind::Either => format!("{} | {AS_TEXT}", written.jq),
    })
}

/// The expression of a `_findCollection`; what is not found is empty text.
///
/// # Errors
/// What has no counterpart, in one sentence.
pub(crate) fn lookup(find: &Find, scope: &Scope) -> Result<String, String> {
    let columns: Result<Vec<_>, String> = find
        .conditions
        .iter()
        .map(|(column, value)| {
            refuse_times(value)?;
            Ok(format!("{}: {}", text(column), concat(value, scope)))
        })
        .collect();
    let key = format!("{{{}}}", columns?.join(", "));
    Ok(format!("lookup({}; {key}; {}) | {AS_TEXT}", text(&find.scheme), text(&find.field)))
}

fn refuse_times(parts: &[Part]) -> Result<(), String> {
    let is_field = |part: &Part| matches!(part, Part::Text(_) | Part::Slot(Slot::Field(..)));
    if parts.iter().all(is_field) {
        Ok(())
    } else {
        Err("times of the run and answers of writes are not known here".into())
    }
}

/// What an expression gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Either,
}

struct Written {
    jq: String,
    kind: Kind,
}

impl Written {
    fn text(jq: String) -> Self {
        Self { jq, kind: Kind::Text }
    }

    fn number(jq: String) -> Self {
        Self { jq, kind: Kind::Number }
    }

    /// As a number.
    fn as_number(&self) -> String {
        if self.kind == Kind::Number { self.jq.clone() } else { format!("({} | tonumber)", self.jq) }
    }

    /// As text.
    fn as_text(&self) -> String {
        if self.kind == Kind::Text { self.jq.clone() } else { format!("({} | {AS_TEXT})", self.jq) }
    }
}

struct Writer<'a> {
    scope: &'a Scope,
    n_names: u32,
}

impl Writer<'_> {
    fn name(&mut self) -> String {
        self.n_names += 1;
        format!("$v{}", self.n_names)
    }

    /// `a | function(b)` with `b` taken from the same input as `a`.
    fn apply(&mut self, a: &str, b: &str, function: &str, more: &str) -> String {
        let name = self.name();
        format!("({b} as {name} | {a} | {function}({name}{more}))")
    }

    fn any(&mut self, tree: &Expr) -> Result<Written, String> {
        Ok(match tree {
            Expr::Number(number) => Written::number(number.clone()),
            Expr::Null => Written { jq: "null".to_owned(), kind: Kind::Either },
            Expr::Boolean(is) => Written::number(u8::from(*is).to_string()),
            Expr::Text(parts) => {
                refuse_times(parts)?;
                Written::text(concat(parts, self.scope))
            }
            Expr::Slot(parts) => {
                refuse_times(parts)?;
                let [Part::Slot(slot)] = parts.as_slice() else { return Err("a template is mixed with text".into()) };
                Written { jq: slot_path(slot, self.scope), kind: Kind::Either }
            }
            Expr::Negative(inner) => {
                let inner = self.any(inner)?.as_number();
                Written::number(format!("({inner} | dec_mul(-1))"))
            }
            Expr::Binary(
                operator @ (Operator::Add
                | Operator::Subtract
                | Operator::Multiply
                | Operator::Divide
                | Operator::Remainder),
                left,
                right,
            ) => {
                let (a, b) = (self.any(left)?.as_number(), self.any(right)?.as_number());
                Written::number(self.arithmetic(*operator, &a, &b))
            }
            Expr::Binary(..) | Expr::Not(_) | Expr::In(..) | Expr::IsNull(..) => {
                let condition = self.condition(tree)?;
                Written::number(format!("(if {condition} then 1 else 0 end)"))
            }
            Expr::Case { of, when, otherwise } => self.case(of.as_deref(), when, otherwise.as_deref())?,
            Expr::Find(find) => Written::text(format!("({})", lookup(find, self.scope)?)),
            Expr::Call(name, arguments) => self.call(name, arguments)?,
        })
    }

    fn quotient(&mut self, left: &Expr, right: &Expr, scale: u32) -> Result<String, String> {
        let (a, b) = (self.any(left)?.as_number(), self.any(right)?.as_number());
        Ok(self.apply(&a, &b, "dec_div", &format!("; {scale}; \"half-up\"")))
    }

    fn arithmetic(&mut self, operator: Operator, a: &str, b: &str) -> String {
        match operator {
            Operator::Add => self.apply(a, b, "dec_add", ""),
            Operator::Subtract => self.apply(a, b, "dec_sub", ""),
            Operator::Multiply => self.apply(a, b, "dec_mul", ""),
            Operator::Divide => self.apply(a, b, "dec_div", &format!("; {DIVISION_SCALE}; \"half-up\"")),
            // a - b * trunc(a / b)
            _ => {
                let (x, y) = (self.name(), self.name());
                format!("({a} as {x} | {b} as {y} | {x} | dec_sub({x} | dec_div({y}; 0; \"down\") | dec_mul({y})))")
            }
        }
    }

    /// What is true or false.
    fn condition(&mut self, tree: &Expr) -> Result<String, String> {
        Ok(match tree {
            Expr::Not(inner) => format!("({} | not)", self.condition(inner)?),
            Expr::Binary(Operator::And, left, right) => {
                format!("({} and {})", self.condition(left)?, self.condition(right)?)
            }
            Expr::Binary(Operator::Or, left, right) => {
                format!("({} or {})", self.condition(left)?, self.condition(right)?)
            }
            Expr::Binary(Operator::Like, left, right) => {
                let Expr::Text(parts) = &**right else { return Err("`LIKE` takes a text in quotes".into()) };
                let [Part::Text(pattern)] = parts.as_slice() else {
                    return Err("`LIKE` with a template in its pattern has no counterpart".into());
                };
                self.like(left, pattern)?
            }
            Expr::Binary(operator, left, right) => {
                let sign = match operator {
                    Operator::Equal => "==",
                    Operator::NotEqual => "!=",
                    Operator::Less => "<",
                    Operator::AtMost => "<=",
                    Operator::More => ">",
                    Operator::AtLeast => ">=",
                    _ => return Ok(format!("({} != 0)", self.any(tree)?.as_number())),
                };
                let (a, b) = (self.any(left)?, self.any(right)?);
                let texts = a.kind == Kind::Text || b.kind == Kind::Text;
                let side = |side: &Written| if texts { side.as_text() } else { side.as_number() };
                format!("({} {sign} {})", side(&a), side(&b))
            }
            Expr::In(one, all) => {
                let all: Result<Vec<_>, String> = all.iter().map(|one| Ok(self.any(one)?.as_text())).collect();
                let (wanted, one) = (self.name(), self.any(one)?.as_text());
                format!("({one} as {wanted} | [{}] | any(. == {wanted}))", all?.join(", "))
            }
            Expr::IsNull(one, is) => {
                let sign = if *is { "==" } else { "!=" };
                format!("({} {sign} \"\")", self.any(one)?.as_text())
            }
            other => format!("({} != 0)", self.any(other)?.as_number()),
        })
    }

    /// `LIKE` with `%` at the ends only.
    fn like(&mut self, left: &Expr, pattern: &str) -> Result<String, String> {
        let left = self.any(left)?.as_text();
        let (before, after) = (pattern.starts_with('%'), pattern.len() > 1 && pattern.ends_with('%'));
        let inside = pattern.trim_start_matches('%').trim_end_matches('%');
        if inside.contains(['%', '_', '\\']) {
            return Err(format!("`LIKE '{pattern}'` has no counterpart: `%` may stand at the ends only"));
        }
        let inside = text(inside);
        Ok(match (before, after) {
            (true, true) => format!("({left} | contains({inside}))"),
            (true, false) => format!("({left} | endswith({inside}))"),
            (false, true) => format!("({left} | startswith({inside}))"),
            (false, false) => format!("({left} == {inside})"),
        })
    }

    fn case(&mut self, of: Option<&Expr>, when: &[(Expr, Expr)], otherwise: Option<&Expr>) -> Result<Written, String> {
        let mut jq = String::new();
        let mut kinds = Vec::new();
        for (i, (condition, value)) in when.iter().enumerate() {
            let condition = match of {
                None => self.condition(condition)?,
                Some(of) => {
                    let equal = Expr::Binary(Operator::Equal, Box::new(of.clone()), Box::new(condition.clone()));
                    self.condition(&equal)?
                }
            };
            let value = self.any(value)?;
            kinds.push(value.kind);
            let word = if i == 0 { "if" } else { " elif" };
            let _ = write!(jq, "{word} {condition} then {}", value.jq);
        }
        let otherwise = match otherwise {
            Some(otherwise) => self.any(otherwise)?,
            None => Written { jq: "null".to_owned(), kind: Kind::Either },
        };
        kinds.push(otherwise.kind);
        let kind = if kinds.iter().all(|kind| *kind == kinds[0]) { kinds[0] } else { Kind::Either };
        Ok(Written { jq: format!("({jq} else {} end)", otherwise.jq), kind })
    }

    fn call(&mut self, name: &str, arguments: &[Expr]) -> Result<Written, String> {
        if let ("SUM" | "AVG" | "MAX" | "MIN" | "COUNT", [Expr::Slot(parts)]) = (name, arguments) {
            return self.aggregate(name, parts);
        }
        let mut all = Vec::new();
        for argument in arguments {
            all.push(self.any(argument)?);
        }
        let whole = |argument: Option<&Expr>| match argument {
            Some(Expr::Number(n)) => n.parse::<u32>().ok(),
            _ => None,
        };
        Ok(match (name, all.as_slice()) {
            ("ROUND", [x]) => Written::number(format!("({} | fixed(0; \"half-up\"))", x.as_number())),
            ("ROUND", [x, _]) => {
                let scale = whole(arguments.get(1)).ok_or("`ROUND` takes a plain number of decimals")?;
                // A quotient is rounded once, where it is made.
                let x = match &arguments[0] {
                    Expr::Binary(Operator::Divide, left, right) => self.quotient(left, right, scale)?,
                    _ => x.as_number(),
                };
                Written::number(format!("({x} | fixed({scale}; \"half-up\"))"))
            }
            ("CONCAT", [_, ..]) => {
                let parts: Vec<String> = all.iter().map(|part| format!("\\({})", part.as_text())).collect();
                Written::text(format!("\"{}\"", parts.concat()))
            }
            ("LEFT" | "RIGHT", [s, _]) => {
                let n =
                    whole(arguments.get(1)).ok_or_else(|| format!("`{name}` takes a plain number of characters"))?;
                Written::text(format!("({} | {}({n}))", s.as_text(), name.to_lowercase()))
            }
            ("LOCATE", [part, s]) => {
                let found = self.apply(&s.as_text(), &part.as_text(), "index", "");
                Written::number(format!("({found} | if . == null then 0 else . + 1 end)"))
            }
            ("IFNULL", [x, y]) => {
                let kind = if x.kind == y.kind { x.kind } else { Kind::Either };
                let y_jq = &y.jq;
                let name = self.name();
                Written { jq: format!("({y_jq} as {name} | {} | if is_empty then {name} else . end)", x.jq), kind }
            }
            ("IF", [_, yes, no]) => {
                let kind = if yes.kind == no.kind { yes.kind } else { Kind::Either };
                let condition = self.condition(&arguments[0])?;
                Written { jq: format!("(if {condition} then {} else {} end)", yes.jq, no.jq), kind }
            }
            ("FROM_UNIXTIME", [at, _]) => {
                let [_, Expr::Text(parts)] = arguments else {
                    return Err("`FROM_UNIXTIME` takes its form in quotes".into());
                };
                let form = match parts.as_slice() {
                    [Part::Text(form)] => time_form(form)?,
                    _ => return Err("`FROM_UNIXTIME` takes a plain form".into()),
                };
                Written::text(format!("({} | from_epoch_s | {})", at.as_number(), time(&form)))
            }
            ("REPLACE", [s, from, to]) => {
                let (f, t) = (self.name(), self.name());
                let (s, from, to) = (s.as_text(), from.as_text(), to.as_text());
                Written::text(format!("({from} as {f} | {to} as {t} | {s} | replace({f}; {t}))"))
            }
            ("UPPER" | "LOWER" | "TRIM", [s]) => Written::text(format!("({} | {})", s.as_text(), name.to_lowercase())),
            ("ABS", [x]) => Written::number(format!("({} | abs)", x.as_number())),
            ("FLOOR", [x]) => Written::number(format!("({} | floor)", x.as_number())),
            ("CEIL" | "CEILING", [x]) => Written::number(format!("({} | ceil)", x.as_number())),
            ("CHAR_LENGTH", [s]) => Written::number(format!("({} | length)", s.as_text())),
            ("LEFT" | "RIGHT" | "LOCATE" | "IFNULL" | "ROUND" | "FROM_UNIXTIME" | "CONCAT" | "IF", _) => {
                return Err(format!("`{name}` has another number of arguments than it takes"));
            }
            _ => return Err(format!("the function `{name}` has no counterpart")),
        })
    }

    /// A sum, and its like, over the lines of a list.
    fn aggregate(&mut self, name: &str, parts: &[Part]) -> Result<Written, String> {
        let [Part::Slot(Slot::Field(field, None))] = parts else {
            return Err(format!("`{name}` takes a field of a line"));
        };
        let Some((list, inner)) = field.split_once('.') else {
            return Err(format!("`{name}` takes a field of a line, such as `lines.qty`"));
        };
        // From inside the list too, all lines count.
        let header = Scope { each: None, ..self.scope.clone() }.field(list).jq;
        let lines = if self.scope.each.is_some() { record_path(list) } else { header };
        let values = format!("{lines} | default([]) | map({} | tonumber)", path(inner));
        let jq = match name {
            "SUM" => format!("({values} | dec_sum)"),
            "COUNT" => format!("({lines} | default([]) | length)"),
            "MAX" => format!("({values} | max)"),
            "MIN" => format!("({values} | min)"),
            _ => {
                let n = self.name();
                format!("({values} | length as {n} | dec_sum | dec_div({n}; {DIVISION_SCALE}; \"half-up\"))")
            }
        };
        Ok(Written::number(jq))
    }
}

/// The form of a time as the mapping writes it.
fn time_form(mysql: &str) -> Result<String, String> {
    let mut form = String::new();
    let mut chars = mysql.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            form.push(c);
            continue;
        }
        match chars.next() {
            Some(c @ ('Y' | 'y' | 'm' | 'd' | 'H' | 'j')) => form.extend(['%', c]),
            Some('i') => form.push_str("%M"),
            Some('s' | 'S') => form.push_str("%S"),
            Some('T') => form.push_str("%H:%M:%S"),
            Some('%') => form.push_str("%%"),
            other => {
                let sign = other.map(String::from).unwrap_or_default();
                return Err(format!("the sign `%{sign}` of a time's form has no counterpart"));
            }
        }
    }
    Ok(form)
}
