//! `_function` expressions: SQL over the texts that templates leave, read into a tree.
//!
//! The platform puts the values into the text and then computes; here the templates stay where they are, so that a
//! value with a quote in it cannot change what is computed.

use super::find::{self, Find};
use super::template::{self, Part};

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expr {
    /// A number as written.
    Number(String),
    /// A text in quotes, with the templates in it.
    Text(Vec<Part>),
    /// A template outside quotes.
    Slot(Vec<Part>),
    /// `NULL`.
    Null,
    /// `true` and `false`.
    Boolean(bool),
    /// `-x`.
    Negative(Box<Expr>),
    /// `NOT x`.
    Not(Box<Expr>),
    /// Two sides and what stands between them.
    Binary(Operator, Box<Expr>, Box<Expr>),
    /// `x IN (a, b)`.
    In(Box<Expr>, Vec<Expr>),
    /// `x IS NULL`, `x IS NOT NULL`: whether it is to be null.
    IsNull(Box<Expr>, bool),
    /// A function, its name in upper case.
    Call(String, Vec<Expr>),
    /// `CASE [x] WHEN a THEN b … ELSE c END`.
    Case { of: Option<Box<Expr>>, when: Vec<(Expr, Expr)>, otherwise: Option<Box<Expr>> },
    /// `_findCollection … _endFind`.
    Find(Find),
}

/// What stands between two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Equal,
    NotEqual,
    Less,
    AtMost,
    More,
    AtLeast,
    Like,
    And,
    Or,
}

/// How deep expressions may be nested.
const DEEPEST: usize = 64;

/// How many words an expression may have.
const LONGEST: usize = 4_000;

/// Words that are no functions, even before a parenthesis.
const RESERVED: [&str; 10] = ["AND", "OR", "NOT", "IN", "IS", "LIKE", "WHEN", "THEN", "ELSE", "END"];

/// Reads the text after `_function `.
///
/// # Errors
/// What cannot be understood, in one sentence.
pub(crate) fn parse(text: &str) -> Result<Expr, String> {
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: &tokens, at: 0, depth: 0 };
    let expr = parser.or()?;
    match parser.peek() {
        None => Ok(expr),
        Some(token) => Err(format!("`{}` comes unexpectedly", token.shown())),
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Number(String),
    Quoted(Vec<Part>),
    Slot(Vec<Part>),
    Word(String),
    Sign(&'static str),
    Find(Find),
}

impl Token {
    fn shown(&self) -> String {
        match self {
            Self::Number(text) | Self::Word(text) => text.clone(),
            Self::Quoted(_) => "'…'".to_owned(),
            Self::Slot(_) => "{{…}}".to_owned(),
            Self::Sign(sign) => (*sign).to_owned(),
            Self::Find(_) => "_findCollection".to_owned(),
        }
    }
}

/// Longer signs first.
const SIGNS: [&str; 16] = ["<=", ">=", "<>", "!=", "||", "&&", "+", "-", "*", "/", "%", "=", "<", ">", "(", ")"];

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let parts = |text: &str| template::parse(text).map_err(|_| format!("the braces of `{text}` do not match"));
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, after) = if rest.starts_with("{{") {
            let end = rest.find("}}").ok_or("a `{{` is not closed")? + 2;
            (Token::Slot(parts(&rest[..end])?), &rest[end..])
        } else if first == '\'' || first == '"' {
            let (inside, after) = quoted(&rest[1..], first)?;
            (Token::Quoted(parts(&inside)?), after)
        } else if first.is_ascii_digit() {
            let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
            let number = &rest[..end];
            if number.matches('.').count() > 1 || number.ends_with('.') {
                return Err(format!("`{number}` is no number"));
            }
            (Token::Number(number.to_owned()), &rest[end..])
        } else if let Some(find) = rest.strip_prefix("_findCollection") {
            let (find, after) = find.split_once("_endFind").ok_or("`_findCollection` has no `_endFind`")?;
            (Token::Find(find::parse(find.trim())?), after)
        } else if first.is_alphabetic() || first == '_' {
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
            (Token::Word(rest[..end].to_owned()), &rest[end..])
        } else if first == ',' {
            (Token::Sign(","), &rest[1..])
        } else if let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
            (Token::Sign(sign), &rest[sign.len()..])
        } else {
            return Err(format!("`{first}` comes unexpectedly"));
        };
        if tokens.len() == LONGEST {
            return Err(format!("it has more than {LONGEST} words"));
        }
        tokens.push(token);
        rest = after.trim_start();
    }
    Ok(tokens)
}

/// The inside of a quoted text, and what follows its closing quote; a doubled quote and `\'` stand for one.
fn quoted(text: &str, quote: char) -> Result<(String, &str), String> {
    let mut inside = String::new();
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some((_, 'n')) => inside.push('\n'),
                Some((_, 't')) => inside.push('\t'),
                Some((_, escaped)) => inside.push(escaped),
                None => break,
            },
            _ if c != quote => inside.push(c),
            _ if chars.peek().is_some_and(|(_, next)| *next == quote) => {
                chars.next();
                inside.push(quote);
            }
            _ => return Ok((inside, &text[at + c.len_utf8()..])),
        }
    }
    Err("a quote is not closed".to_owned())
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<&'a Token> {
        self.at += 1;
        self.tokens.get(self.at - 1)
    }

    fn takes_sign(&mut self, wanted: &str) -> bool {
        let is = matches!(self.peek(), Some(Token::Sign(sign)) if *sign == wanted);
        self.at += usize::from(is);
        is
    }

    fn is_word(&self, wanted: &str) -> bool {
        matches!(self.peek(), Some(Token::Word(word)) if word.eq_ignore_ascii_case(wanted))
    }

    fn takes_word(&mut self, wanted: &str) -> bool {
        let is = self.is_word(wanted);
        self.at += usize::from(is);
        is
    }

    fn wants_sign(&mut self, wanted: &str) -> Result<(), String> {
        if self.takes_sign(wanted) { Ok(()) } else { Err(self.missing(wanted)) }
    }

    fn wants_word(&mut self, wanted: &str) -> Result<(), String> {
        if self.takes_word(wanted) { Ok(()) } else { Err(self.missing(wanted)) }
    }

    fn missing(&self, wanted: &str) -> String {
        match self.peek() {
            Some(token) => format!("`{wanted}` is missing before `{}`", token.shown()),
            None => format!("`{wanted}` is missing at the end"),
        }
    }

    fn or(&mut self) -> Result<Expr, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("it is nested more than {DEEPEST} deep"));
        }
        let mut left = self.and()?;
        while self.takes_word("OR") || self.takes_sign("||") {
            left = binary(Operator::Or, left, self.and()?);
        }
        self.depth -= 1;
        Ok(left)
    }

    fn and(&mut self) -> Result<Expr, String> {
        let mut left = self.not()?;
        while self.takes_word("AND") || self.takes_sign("&&") {
            left = binary(Operator::And, left, self.not()?);
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Expr, String> {
        let mut n_nots = 0;
        while self.takes_word("NOT") {
            n_nots += 1;
        }
        let inner = self.comparison()?;
        Ok(if n_nots % 2 == 1 { Expr::Not(Box::new(inner)) } else { inner })
    }

    fn comparison(&mut self) -> Result<Expr, String> {
        let mut left = self.sum()?;
        loop {
            let signs = [
                ("=", Operator::Equal),
                ("<>", Operator::NotEqual),
                ("!=", Operator::NotEqual),
                ("<=", Operator::AtMost),
                (">=", Operator::AtLeast),
                ("<", Operator::Less),
                (">", Operator::More),
            ];
            if let Some((_, operator)) = signs.into_iter().find(|(sign, _)| self.takes_sign(sign)) {
                left = binary(operator, left, self.sum()?);
            } else if self.takes_word("IS") {
                let is = !self.takes_word("NOT");
                self.wants_word("NULL")?;
                left = Expr::IsNull(Box::new(left), is);
            } else if self.takes_word("LIKE") {
                left = binary(Operator::Like, left, self.sum()?);
            } else if self.takes_word("IN") {
                left = Expr::In(Box::new(left), self.list()?);
            } else if self.is_word("NOT") {
                self.at += 1;
                let inner = if self.takes_word("LIKE") {
                    binary(Operator::Like, left, self.sum()?)
                } else {
                    self.wants_word("IN")?;
                    Expr::In(Box::new(left), self.list()?)
                };
                left = Expr::Not(Box::new(inner));
            } else {
                return Ok(left);
            }
        }
    }

    fn sum(&mut self) -> Result<Expr, String> {
        let mut left = self.product()?;
        loop {
            if self.takes_sign("+") {
                left = binary(Operator::Add, left, self.product()?);
            } else if self.takes_sign("-") {
                left = binary(Operator::Subtract, left, self.product()?);
            } else {
                return Ok(left);
            }
        }
    }

    fn product(&mut self) -> Result<Expr, String> {
        let mut left = self.unary()?;
        loop {
            let signs = [("*", Operator::Multiply), ("/", Operator::Divide), ("%", Operator::Remainder)];
            let Some((_, operator)) = signs.into_iter().find(|(sign, _)| self.takes_sign(sign)) else {
                return Ok(left);
            };
            left = binary(operator, left, self.unary()?);
        }
    }

    fn unary(&mut self) -> Result<Expr, String> {
        let mut negative = false;
        loop {
            if self.takes_sign("-") {
                negative = !negative;
            } else if !self.takes_sign("+") {
                break;
            }
        }
        let inner = self.atom()?;
        Ok(if negative { Expr::Negative(Box::new(inner)) } else { inner })
    }

    fn atom(&mut self) -> Result<Expr, String> {
        match self.next() {
            None => Err("it ends in the middle".to_owned()),
            Some(Token::Number(number)) => Ok(Expr::Number(number.clone())),
            Some(Token::Quoted(parts)) => Ok(Expr::Text(parts.clone())),
            Some(Token::Slot(parts)) => Ok(Expr::Slot(parts.clone())),
            Some(Token::Find(find)) => Ok(Expr::Find(find.clone())),
            Some(Token::Sign("(")) => {
                let inner = self.or()?;
                self.wants_sign(")")?;
                Ok(inner)
            }
            Some(Token::Sign(sign)) => Err(format!("`{sign}` comes unexpectedly")),
            Some(Token::Word(word)) => self.word(&word.to_ascii_uppercase()),
        }
    }

    fn word(&mut self, word: &str) -> Result<Expr, String> {
        match word {
            "NULL" => Ok(Expr::Null),
            "TRUE" => Ok(Expr::Boolean(true)),
            "FALSE" => Ok(Expr::Boolean(false)),
            "CASE" => self.case(),
            _ if !RESERVED.contains(&word) && matches!(self.peek(), Some(Token::Sign("("))) => {
                Ok(Expr::Call(word.to_owned(), self.list()?))
            }
            _ => Err(format!("`{word}` is neither a value nor a function; texts stand in quotes")),
        }
    }

    /// `(a, b, …)`, which may be empty.
    fn list(&mut self) -> Result<Vec<Expr>, String> {
        self.wants_sign("(")?;
        let mut all = Vec::new();
        if self.takes_sign(")") {
            return Ok(all);
        }
        loop {
            all.push(self.or()?);
            if self.takes_sign(")") {
                return Ok(all);
            }
            self.wants_sign(",")?;
        }
    }

    fn case(&mut self) -> Result<Expr, String> {
        let of = if self.is_word("WHEN") { None } else { Some(Box::new(self.or()?)) };
        let mut when = Vec::new();
        while self.takes_word("WHEN") {
            let condition = self.or()?;
            self.wants_word("THEN")?;
            when.push((condition, self.or()?));
        }
        if when.is_empty() {
            return Err(self.missing("WHEN"));
        }
        let otherwise = if self.takes_word("ELSE") { Some(Box::new(self.or()?)) } else { None };
        self.wants_word("END")?;
        Ok(Expr::Case { of, when, otherwise })
    }
}

fn binary(operator: Operator, left: Expr, right: Expr) -> Expr {
    Expr::Binary(operator, Box::new(left), Box::new(right))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tree in a short form, every operation in parentheses.
    fn shown(expr: &Expr) -> String {
        let list = |all: &[Expr]| all.iter().map(shown).collect::<Vec<_>>().join(", ");
        match expr {
            Expr::Number(number) => number.clone(),
            Expr::Text(parts) => format!("'{}'", parts.len()),
            Expr::Slot(_) => "{}".to_owned(),
            Expr::Null => "null".to_owned(),
            Expr::Boolean(is) => is.to_string(),
            Expr::Negative(inner) => format!("(-{})", shown(inner)),
            Expr::Not(inner) => format!("(not {})", shown(inner)),
            Expr::Binary(operator, left, right) => format!("({} {operator:?} {})", shown(left), shown(right)),
            Expr::In(one, all) => format!("({} in {})", shown(one), list(all)),
            Expr::IsNull(one, is) => format!("({} null {is})", shown(one)),
            Expr::Call(name, all) => format!("{name}({})", list(all)),
            Expr::Case { of, when, otherwise } => {
                let of = of.as_ref().map(|of| shown(of)).unwrap_or_default();
                let when: Vec<_> = when.iter().map(|(a, b)| format!("{}: {}", shown(a), shown(b))).collect();
                format!("case {of}[{}] {}", when.join("; "), otherwise.as_ref().map_or("-".into(), |o| shown(o)))
            }
            Expr::Find(find) => format!("find {}", find.field),
        }
    }

    #[test]
    fn trees() {
        let cases = [
            ("1+2*3-4", "((1 Add (2 Multiply 3)) Subtract 4)"),
            (
                "round({{refund_order_list.refund_order_amount}}/{{refund_order_list.refund_num}},4)",
                "ROUND(({} Divide {}), 4)",
            ),
            (
                "CASE WHEN '{{status}}'='1' THEN 'a' WHEN {{n}}>=2 AND NOT {{m}} THEN 'b' ELSE 'c' END",
                "case [('1' Equal '1'): '1'; (({} AtLeast 2) And (not {})): '1'] '1'",
            ),
            ("case {{a}} when 1 then 2 end", "case {}[1: 2] -"),
            ("CONCAT(LEFT('{{a}}',3),'-',IFNULL({{b}},''))", "CONCAT(LEFT('1', 3), '1', IFNULL({}, '0'))"),
            ("{{a}} in (1,'x') or {{b}} not in (2)", "(({} in 1, '1') Or (not ({} in 2)))"),
            ("-{{a}} % 3 <> 0", "(((-{}) Remainder 3) NotEqual 0)"),
            ("{{a}} is not null", "({} null false)"),
            ("'it''s \\'x\\''", "'1'"),
            ("_findCollection find FNumber from abc-1 where A={{x}} _endFind + 1", "(find FNumber Add 1)"),
        ];
        for (text, tree) in cases {
            assert_eq!(parse(text).map(|expr| shown(&expr)), Ok(tree.to_owned()), "{text}");
        }
    }

    #[test]
    fn mistakes_are_said() {
        let deep = format!("{}1{}", "(".repeat(200), ")".repeat(200));
        for text in [
            "",
            "1+",
            "(1",
            "1)",
            "'open",
            "{{a",
            "{{{a}}/{{b}}",
            "case when 1 end",
            "1..2",
            "abc",
            "f(1,",
            "#",
            "1 2",
            "in (1)",
            &deep,
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        let long = |part: &str, n: usize| parse(&(part.repeat(n) + "1"));
        for part in ["not ", "-", "1+", "{{a}}*", "1=1 and "] {
            assert!(long(part, LONGEST / 4 - 1).is_ok(), "{part}");
            assert!(long(part, LONGEST + 1).is_err(), "{part}");
        }
    }
}
