//! What can be said of a term by its form: whether it gives one value, how deep it nests, whether it is a path.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Pattern, Term};
use jaq_core::path::Part;

use super::functions::FUNCTIONS;
use super::rewrite::{FIELDS_IN_A_ROW, ORIGIN};

/// How deep an expression may nest; pipes and operators count.
const DEEPEST: usize = 160;

/// The text of a term that is nothing but a text.
pub(crate) fn literal<'s>(term: &Term<&'s str>) -> Option<&'s str> {
    match term {
        Term::Str(None, parts) => match parts.as_slice() {
            [StrPart::Str(text)] => Some(text),
            _ => None,
        },
        _ => None,
    }
}

pub(crate) fn first_word<'s>(term: &Term<&'s str>) -> Option<&'s str> {
    match term {
        Term::Num(word) | Term::Break(word) | Term::Call(word, _) => Some(word),
        Term::Var(word) => Some(*word).filter(|word| *word != ORIGIN),
        Term::Str(format, parts) => format.or_else(|| {
            parts.iter().find_map(|part| match part {
                StrPart::Str(text) => Some(*text),
                StrPart::Term(term) => first_word(term),
                StrPart::Char(_) => None,
            })
        }),
        Term::Arr(of) => of.as_deref().and_then(first_word),
        Term::Obj(entries) => entries.iter().find_map(|(key, _)| first_word(key)),
        Term::Neg(of) | Term::Label(_, of) | Term::TryCatch(of, _) | Term::Fold(_, of, ..) => first_word(of),
        Term::BinOp(left, _, right) => first_word(left).or_else(|| first_word(right)),
        Term::IfThenElse(branches, _) => branches.first().and_then(|(condition, _)| first_word(condition)),
        Term::Def(_, body) => first_word(body),
        Term::Path(of, path) => first_word(of).or_else(|| {
            path.0.iter().find_map(|(part, _)| match part {
                Part::Index(index) => first_word(index),
                Part::Range(start, end) => start.as_ref().or(end.as_ref()).and_then(first_word),
            })
        }),
        Term::Id | Term::Recurse => None,
    }
}

/// Whether a term leads to places that can be changed one by one.
pub(crate) fn is_places<S: AsRef<str>>(term: &Term<S>) -> bool {
    match term {
        Term::Id | Term::Recurse => true,
        Term::Path(of, _) => is_places(of),
        Term::BinOp(left, BinaryOp::Pipe(None) | BinaryOp::Comma | BinaryOp::Alt, right) => {
            is_places(left) && is_places(right)
        }
        Term::IfThenElse(branches, otherwise) => {
            branches.iter().all(|(_, then)| is_places(then)) && otherwise.as_deref().is_none_or(is_places)
        }
        Term::Call(name, args) => {
            matches!((name.as_ref(), args.len()), ("select" | "nth", 1) | ("empty" | "first" | "last" | "values", 0))
        }
        _ => false,
    }
}

/// Functions of the library that give at most one value for each that they are given.
const SINGLE: &[(&str, usize)] = &[
    ("select", 1),
    ("map", 1),
    ("default", 1),
    ("none", 1),
    ("error", 0),
    ("error", 1),
    ("first_non_empty", 0),
    ("first_non_empty", 1),
    ("nth", 1),
    ("add", 0),
    ("add", 1),
    ("dec_sum", 0),
    ("dec_sum", 1),
    ("dec_add", 3),
    ("dec_sub", 3),
    ("dec_mul", 3),
    ("not", 0),
    ("empty", 0),
    ("tostring", 0),
    ("first", 0),
    ("last", 0),
    ("values", 0),
    ("to_entries", 0),
    ("from_entries", 0),
    ("any", 0),
    ("all", 0),
    ("sort", 0),
    ("unique", 0),
    ("min", 0),
    ("max", 0),
    ("hash", 0),
];

/// Whether a term gives at most one value for each that it is given. Unknown functions are taken to give many.
pub(crate) fn is_single<S: AsRef<str>>(term: &Term<S>) -> bool {
    match term {
        Term::Id | Term::Num(_) | Term::Arr(_) | Term::Var(_) | Term::Break(_) => true,
        Term::Recurse | Term::Def(..) | Term::BinOp(_, BinaryOp::Comma, _) => false,
        Term::Str(_, parts) => parts.iter().all(|part| match part {
            StrPart::Term(term) => is_single(term),
            _ => true,
        }),
        Term::Obj(entries) => entries.iter().all(|(key, value)| is_single(key) && value.as_ref().is_none_or(is_single)),
        Term::Neg(of) | Term::Label(_, of) => is_single(of),
        Term::BinOp(left, _, right) => is_single(left) && is_single(right),
        Term::Fold(kind, _, _, steps) => kind.as_ref() == "reduce" && steps.iter().all(is_single),
        Term::TryCatch(body, catch) => is_single(body) && catch.as_deref().is_none_or(is_single),
        Term::IfThenElse(branches, otherwise) => {
            branches.iter().all(|(condition, then)| is_single(condition) && is_single(then))
                && otherwise.as_deref().is_none_or(is_single)
        }
        Term::Call(name, args) => {
            let ours = FUNCTIONS.iter().any(|f| f.name == name.as_ref() && f.arity == args.len());
            let single = SINGLE.contains(&(name.as_ref(), args.len()));
            (ours || single) && args.iter().all(is_single)
        }
        Term::Path(of, path) => {
            let one = |part: &Part<Term<S>>| match part {
                Part::Index(index) => is_single(index),
                Part::Range(None, None) => false,
                Part::Range(start, end) => start.iter().chain(end).all(is_single),
            };
            is_single(of) && path.0.iter().all(|(part, _)| one(part))
        }
    }
}

/// Whether an expression nests deeper than is allowed.
pub(crate) fn too_deep<S>(term: &Term<S>) -> bool {
    depth(term) > DEEPEST
}

fn depth<S>(term: &Term<S>) -> usize {
    let most = |terms: &mut dyn Iterator<Item = &Term<S>>| terms.map(depth).max().unwrap_or(0);
    1 + match term {
        Term::Id | Term::Recurse | Term::Num(_) | Term::Break(_) | Term::Var(_) | Term::Arr(None) => 0,
        // The parts of a text are added up one after the other.
        Term::Str(_, parts) => {
            let terms = parts.iter().filter_map(|part| match part {
                StrPart::Term(term) => Some(term),
                _ => None,
            });
            parts.len() + most(&mut terms.into_iter())
        }
        Term::Arr(Some(of)) | Term::Neg(of) | Term::Label(_, of) => depth(of),
        Term::Obj(entries) => {
            let terms = entries.iter().flat_map(|(key, value)| std::iter::once(key).chain(value));
            // Long ones are halved until they are short.
            FIELDS_IN_A_ROW + entries.len().ilog2_or_zero() + most(&mut terms.into_iter())
        }
        Term::BinOp(left, op, right) => {
            let pattern = match op {
                BinaryOp::Pipe(Some(pattern)) => pattern_depth(pattern),
                _ => 0,
            };
            depth(left).max(depth(right)) + pattern
        }
        Term::Fold(_, list, pattern, steps) => depth(list).max(most(&mut steps.iter())) + pattern_depth(pattern),
        Term::TryCatch(body, catch) => depth(body).max(catch.as_deref().map_or(0, depth)),
        Term::IfThenElse(branches, otherwise) => {
            let terms = branches.iter().flat_map(|(condition, then)| [condition, then]).chain(otherwise.as_deref());
            // Each `elif` nests in the branch before.
            branches.len() + most(&mut terms.into_iter())
        }
        Term::Def(_, body) => depth(body),
        Term::Call(_, args) => most(&mut args.iter()),
        Term::Path(of, path) => {
            let terms = path.0.iter().flat_map(|(part, _)| match part {
                Part::Index(index) => vec![index],
                Part::Range(start, end) => start.iter().chain(end).collect(),
            });
            path.0.len() + depth(of).max(most(&mut terms.into_iter()))
        }
    }
}

fn pattern_depth<S>(pattern: &Pattern<S>) -> usize {
    1 + match pattern {
        Pattern::Var(_) => 0,
        Pattern::Arr(all) => all.len() + all.iter().map(pattern_depth).max().unwrap_or(0),
        Pattern::Obj(all) => {
            let names = all.iter().map(|(key, _)| depth(key)).max().unwrap_or(0);
            all.len() + names + all.iter().map(|(_, one)| pattern_depth(one)).max().unwrap_or(0)
        }
    }
}

trait Log {
    fn ilog2_or_zero(self) -> usize;
}

impl Log for usize {
    fn ilog2_or_zero(self) -> usize {
        self.checked_ilog2().map_or(0, |n| n as usize)
    }
}
