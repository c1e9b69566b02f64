//! Expressions: jq's language over exact values, compiled when the flow loads, without a world outside, and bounded.
//!
//! | file | answers |
//! | --- | --- |
//! | `mod` | how is an expression compiled and run? |
//! | `check`, `shape` | what mistakes are found before it runs? |
//! | `rewrite`, `meter` | why can no expression run without end, or fill the memory? |
//! | `value`, `number`, `ops`, `write` | what are its values, and how does it reckon? |
//! | `functions`, `library`, `library.jq` | what can it call? |
//! | `kind` | what do functions know besides their arguments? |

mod check;
mod functions;
pub(crate) mod kind;
mod library;
pub(crate) mod meter;
mod number;
mod ops;
mod rewrite;
mod shape;
pub(crate) mod value;
pub(crate) mod write;

use std::fmt;
use std::ops::Range;

use jaq_core::compile::Undefined;
use jaq_core::load::lex::Lexer;
use jaq_core::load::parse::{Def, Parser, Term};
use jaq_core::load::{self, Arena, File, Loader, span};
use jaq_core::{Compiler, Ctx, Filter, Vars};
use milkrun_core::diagnostic::did_you_mean;
use milkrun_core::stream::UnitKind;

use self::check::Check;
use self::kind::{Data, Env, Kind};
use self::library::KNOWN;
use self::value::Val;
use crate::path::Step;
use crate::tables::Tables;

/// The longest expression, in bytes.
const LONGEST: usize = 8 * 1024;

/// The stack that is set aside to read an expression: its reader calls itself once for each level, and a text of the
/// greatest length may consist of nothing but levels. The worst known text takes 80 MB in a build without optimisation.
const READING_STACK: usize = 256 * 1024 * 1024;

/// The name that the expression itself is compiled under; it knows no function of that name.
const MAIN: &str = "__main";

/// The variables of every expression: the record, and the element that `explode` took from it.
const VARIABLES: [&str; 2] = ["$record", "$element"];

/// What an expression stands in.
pub(crate) struct Around<'a> {
    /// The path of its input from the record, if it is one.
    pub(crate) here: Option<&'a [Step]>,
    /// The path of the exploded element, if there is one.
    pub(crate) element: Option<&'a [Step]>,
    /// What the field at a path is measured in.
    pub(crate) unit_of: &'a (dyn Fn(&[Step]) -> Option<UnitKind> + Sync),
    /// The tables there are.
    pub(crate) tables: &'a Tables,
}

/// Something about a part of an expression's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) span: Range<usize>,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

/// A compiled expression.
pub(crate) struct Expr {
    filter: Filter<Kind>,
    /// The text, for those who read a dump.
    text: String,
}

impl fmt::Debug for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expr({:?})", self.text)
    }
}

/// What came of compiling: the expression, and what is allowed and most likely not meant.
pub(crate) type Compiled = Result<(Expr, Vec<Note>), Vec<Note>>;

impl Expr {
    /// Compiles an expression; all mistakes at once, with their places in the text.
    pub(crate) fn compile(text: &str, around: &Around<'_>) -> Compiled {
        if text.trim().is_empty() {
            let help = Some("for example `.payment`".to_owned());
            return Err(vec![Note { span: 0..text.len(), message: "the expression is empty".to_owned(), help }]);
        }
        if text.len() > LONGEST {
            let message = format!("the expression is longer than {LONGEST} bytes");
            return Err(vec![Note { span: 0..text.len(), message, help: None }]);
        }
        std::thread::scope(|scope| {
            let reader = std::thread::Builder::new().stack_size(READING_STACK);
            let reader = reader.spawn_scoped(scope, || read(text, around));
            let message = |what: &str| vec![Note { span: 0..text.len(), message: what.to_owned(), help: None }];
            match reader.map(std::thread::ScopedJoinHandle::join) {
                Ok(Ok(compiled)) => compiled,
                Ok(Err(_)) => Err(message("the expression cannot be read")),
                Err(_) => Err(message("there is no memory to read the expression in")),
            }
        })
    }

    /// Runs it, and hands each value to `take`, until that says to stop.
    ///
    /// The budget is that of [`meter::start`].
    pub(crate) fn run<'a>(
        &'a self,
        env: &'a Env,
        input: Val,
        variables: [Val; 2],
        mut take: impl FnMut(Val) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let data = Data { lut: &self.filter.lut, env };
        ops::take_culprit();
        for value in self.filter.id.run((Ctx::<Kind>::new(data, Vars::new(variables)), input)) {
            // Whatever came out after the budget was spent is no result.
            if let Some(stop) = meter::stopped() {
                return Err(Failure::of_stop(stop));
            }
            match value {
                Ok(value) => take(value)?,
                Err(error) => return Err(failure(error)),
            }
        }
        meter::stopped().map_or(Ok(()), |stop| Err(Failure::of_stop(stop)))
    }
}

/// Why an expression gave no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The value that did not fit, as JSON text, if there is one.
    pub(crate) value: Option<String>,
    /// What is wrong: with it, or with the expression.
    pub(crate) reason: String,
}

impl Failure {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self { value: None, reason: reason.into() }
    }

    pub(crate) fn of_stop(stop: meter::Stop) -> Self {
        Self::new(stop.reason())
    }
}

fn failure(error: jaq_core::Exn<'_, Val>) -> Failure {
    let Ok(error) = error.get_err() else {
        return Failure::new("was ended from within");
    };
    let value = error.into_val();
    let text = match &value {
        Val::Str(text) => text.to_string(),
        other => other.to_string(),
    };
    match ops::take_culprit().filter(|culprit| culprit.text == text) {
        Some(culprit) => Failure { value: Some(culprit.value), reason: culprit.reason },
        None => Failure::new(format!("refuses the record: {text}")),
    }
}

/// The functions that expressions may call.
#[cfg(test)]
pub(crate) fn function_names() -> Vec<&'static str> {
    KNOWN.iter().map(|(name, _)| *name).filter(|name| !check::INTERNAL.contains(name)).collect()
}

/// Reads, checks, rewrites and compiles; on a thread of its own, whose stack no text can overflow.
fn read(text: &str, around: &Around<'_>) -> Compiled {
    let term = parse(text)?;
    if shape::too_deep(&term) {
        let help = Some("split it up, or bind parts with `as $name |`".to_owned());
        return Err(vec![Note { span: 0..text.len(), message: "the expression nests too deep".to_owned(), help }]);
    }
    let term = rewrite::origins(term);
    let mut check = Check { text, around, known: &KNOWN, origin: None, mistakes: Vec::new(), warnings: Vec::new() };
    check.term(&term, around.here);
    let Check { mistakes, warnings, .. } = check;
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let mut definitions = library::needed(&term);
    definitions.push(rewrite::definition(Def { name: MAIN, args: Vec::new(), body: term }));
    let arena = Arena::default();
    let modules = Loader::new(definitions).load(&arena, File { code: MAIN, path: () });
    let internal = |what: &str| vec![Note { span: 0..text.len(), message: what.to_owned(), help: None }];
    let modules = modules.map_err(|_| internal("the expression cannot be loaded"))?;
    let compiler = Compiler::<_, Kind>::default().with_funs(functions::all()).with_global_vars(VARIABLES);
    match compiler.compile(modules) {
        Ok(filter) => Ok((Expr { filter, text: text.to_owned() }, warnings)),
        Err(errors) => Err(errors.into_iter().flat_map(|(_, errors)| errors).map(|e| undefined(text, &e)).collect()),
    }
}

fn undefined(text: &str, (name, what): &(&str, Undefined)) -> Note {
    let inside = text.as_bytes().as_ptr_range().contains(&name.as_ptr());
    let span = if inside { span(text, name) } else { 0..text.len() };
    let help = match what {
        Undefined::Var => did_you_mean(name, &VARIABLES),
        _ => "it has to be there before it is used".to_owned(),
    };
    let what = match what {
        Undefined::Var => "variable",
        Undefined::Label => "label",
        _ => "function",
    };
    Note { span, message: format!("there is no {what} `{name}`"), help: Some(help) }
}

fn parse(text: &str) -> Result<Term<&str>, Vec<Note>> {
    let end = text.trim_end().len();
    let tokens = Lexer::new(text).lex().map_err(|errors| {
        let note = |(expected, found): (load::lex::Expect<&str>, &str)| {
            let start = span(text, found).start;
            let first = found.chars().next().map_or(0, char::len_utf8);
            let message = match expected {
                load::lex::Expect::Token => {
                    let shown: String = found.chars().take(1).collect();
                    format!("`{shown}` has no meaning here")
                }
                expected => format!("a {} is missing", expected.as_str()),
            };
            let help = match found.chars().next() {
                Some('&') => Some("`and` joins conditions".to_owned()),
                Some(letter) if letter.is_alphabetic() => {
                    let name: String = found.chars().take_while(|c| c.is_alphanumeric()).take(20).collect();
                    Some(format!("a name of other than Latin letters stands in quotes: `.\"{name}\"`"))
                }
                _ => None,
            };
            Note { span: start..start + first, message, help }
        };
        errors.into_iter().map(note).collect::<Vec<_>>()
    })?;
    Parser::new(&tokens).parse(Parser::term).map_err(|errors| {
        let note = |(expected, found): (load::parse::Expect<&str>, Option<&load::lex::Token<&str>>)| {
            let expected = words(&expected);
            let (span, found) = match found {
                Some(token) => (span(text, token.0), format!("`{}`", shortened(token.0))),
                None => (end..end, "the end".to_owned()),
            };
            let help = help_for(text, &span);
            Note { span, message: format!("expected {expected}, not {found}"), help }
        };
        errors.into_iter().map(note).collect()
    })
}

fn words(expected: &load::parse::Expect<&str>) -> String {
    use load::parse::Expect;
    match expected {
        Expect::Just(word) => format!("`{word}`"),
        Expect::Term => "a value, such as `.name`".to_owned(),
        Expect::Nothing => "an operator, such as `|` or `+`".to_owned(),
        Expect::ElseOrEnd => "`else` or `end`".to_owned(),
        Expect::CommaOrRBrack => "`,` or `]`".to_owned(),
        Expect::CommaOrRBrace => "`,` or `}`".to_owned(),
        Expect::SemicolonOrRParen => "`;` or `)`".to_owned(),
        Expect::Key => "the name of a field".to_owned(),
        other => format!("a {}", other.as_str()),
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(20) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}…", &text[..at]),
    }
}

/// What people of other languages write.
fn help_for(text: &str, span: &Range<usize>) -> Option<String> {
    let rest = &text[span.start..];
    let before = text[..span.start].trim_end();
    let help = if rest.starts_with("||") || (rest.starts_with('|') && before.ends_with('|')) {
        "`or` joins conditions"
    } else if rest.starts_with('=') && before.ends_with('=') {
        "`==` compares"
    } else if rest.starts_with("import") || rest.starts_with("include") {
        "an expression stands alone"
    } else {
        return None;
    };
    Some(help.to_owned())
}

#[cfg(test)]
mod tests;

const _: () = {
    const fn shared_by_threads<T: Send + Sync>() {}
    shared_by_threads::<Expr>();
};
