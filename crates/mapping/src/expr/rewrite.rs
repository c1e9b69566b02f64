//! Rewrites an expression so that whatever could go on for long pays a step for every turn.
//!
//! jaq's iterators are lazy, and one that gives nothing can turn for ever inside a single `next`. There is no hook in
//! its evaluator, so the budget is written into the expression: behind every term that may give several values, and
//! before every turn of `reduce` and `foreach`, stands a function that pays one step and, once the budget is spent,
//! raises what `try` cannot catch. A term that gives at most one value takes a bounded number of steps of its own: it
//! cannot call itself, because there are no definitions, and what grows with its values is paid by the values.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Def, Pattern, Term};
use jaq_core::ops::Math;
use jaq_core::path::{Part, Path};

use super::functions::TICK;
use super::shape::is_single;

/// Longer objects are made in two halves that are added, since the fields of one nest in each other.
pub(crate) const FIELDS_IN_A_ROW: usize = 8;

type T<'s> = Term<&'s str>;

/// The definition with its turns paid.
pub(crate) fn definition(def: Def<&str>) -> Def<&str> {
    Def { name: def.name, args: def.args, body: term(def.body) }
}

/// The term with its turns paid.
pub(crate) fn term(of: T<'_>) -> T<'_> {
    let turns = !is_single(&of);
    let inner = inside(of);
    if turns { paid_after(inner) } else { inner }
}

fn tick<'s>() -> T<'s> {
    Term::Call(TICK, Vec::new())
}

fn paid_after(of: T<'_>) -> T<'_> {
    Term::BinOp(Box::new(of), BinaryOp::Pipe(None), Box::new(tick()))
}

fn paid_before(of: T<'_>) -> T<'_> {
    Term::BinOp(Box::new(tick()), BinaryOp::Pipe(None), Box::new(of))
}

fn inside(of: T<'_>) -> T<'_> {
    match children(of, &term) {
        Term::Fold(kind, list, pattern, steps) => {
            // The first step makes what is folded; the others are taken for every element.
            let steps = steps.into_iter().enumerate();
            let steps = steps.map(|(i, step)| if i == 0 { step } else { paid_before(step) });
            Term::Fold(kind, list, pattern, steps.collect())
        }
        Term::Obj(entries) => object(entries),
        other => other,
    }
}

/// The same term with `f` done to each term that it consists of.
pub(crate) fn children<'s>(of: T<'s>, f: &impl Fn(T<'s>) -> T<'s>) -> T<'s> {
    let boxed = |of: Box<T<'s>>| Box::new(f(*of));
    match of {
        Term::Id | Term::Recurse | Term::Num(_) | Term::Break(_) | Term::Var(_) | Term::Arr(None) => of,
        Term::Str(format, parts) => {
            let part = |part| match part {
                StrPart::Term(of) => StrPart::Term(f(of)),
                other => other,
            };
            Term::Str(format, parts.into_iter().map(part).collect())
        }
        Term::Arr(of) => Term::Arr(of.map(boxed)),
        Term::Neg(of) => Term::Neg(boxed(of)),
        Term::Label(name, of) => Term::Label(name, boxed(of)),
        Term::Obj(entries) => {
            // A field that is only named is looked up by its name, and so is a variable.
            let entry = |(key, value): (T<'s>, Option<T<'s>>)| match value {
                None if matches!(key, Term::Var(_)) => (key, None),
                value => (f(key), value.map(f)),
            };
            Term::Obj(entries.into_iter().map(entry).collect())
        }
        Term::BinOp(left, op, right) => {
            let op = match op {
                BinaryOp::Pipe(Some(of)) => BinaryOp::Pipe(Some(pattern(of, f))),
                op => op,
            };
            Term::BinOp(boxed(left), op, boxed(right))
        }
        Term::Fold(kind, list, of, steps) => {
            Term::Fold(kind, boxed(list), pattern(of, f), steps.into_iter().map(f).collect())
        }
        Term::TryCatch(body, catch) => Term::TryCatch(boxed(body), catch.map(boxed)),
        Term::IfThenElse(branches, otherwise) => {
            let branches = branches.into_iter().map(|(condition, then)| (f(condition), f(then)));
            Term::IfThenElse(branches.collect(), otherwise.map(boxed))
        }
        Term::Def(defs, body) => {
            let def = |def: Def<&'s str>| Def { name: def.name, args: def.args, body: f(def.body) };
            Term::Def(defs.into_iter().map(def).collect(), boxed(body))
        }
        Term::Call(name, args) => Term::Call(name, args.into_iter().map(f).collect()),
        Term::Path(of, path) => {
            let part = |part| match part {
                Part::Index(index) => Part::Index(f(index)),
                Part::Range(start, end) => Part::Range(start.map(f), end.map(f)),
            };
            Term::Path(boxed(of), Path(path.0.into_iter().map(|(of, opt)| (part(of), opt)).collect()))
        }
    }
}

fn pattern<'s>(of: Pattern<&'s str>, f: &impl Fn(T<'s>) -> T<'s>) -> Pattern<&'s str> {
    match of {
        Pattern::Var(name) => Pattern::Var(name),
        Pattern::Arr(all) => Pattern::Arr(all.into_iter().map(|of| pattern(of, f)).collect()),
        Pattern::Obj(all) => Pattern::Obj(all.into_iter().map(|(key, of)| (f(key), pattern(of, f))).collect()),
    }
}

fn object<'s>(mut entries: Vec<(T<'s>, Option<T<'s>>)>) -> T<'s> {
    if entries.len() <= FIELDS_IN_A_ROW {
        return Term::Obj(entries);
    }
    let rest = entries.split_off(entries.len() / 2);
    Term::BinOp(Box::new(object(entries)), BinaryOp::Math(Math::Add), Box::new(object(rest)))
}

/// Where the value before a `|` came from; the name cannot be written in an expression.
pub(crate) const ORIGIN: &str = "$origin!";

/// Functions of a plain value, whose arguments are read where that value was read.
const OF_PLAIN_VALUES: &[&str] = &[
    "dec_add",
    "dec_sub",
    "dec_mul",
    "dec_div",
    "round",
    "fixed",
    "default",
    "none",
    "cut",
    "left",
    "right",
    "pad_left",
    "pad_right",
    "replace",
    "split",
    "startswith",
    "endswith",
    "ltrimstr",
    "rtrimstr",
    "contains",
    "index",
    "join",
    "add_days",
    "add_months",
    "format_date",
    "parse_date",
    "date",
    "datetime",
    "from_zone",
    "hash",
    "trim",
    "ltrim",
    "rtrim",
    "upper",
    "lower",
    "tonumber",
    "tostring",
    "fen_to_yuan",
    "yuan_to_fen",
    "epoch_ms",
    "epoch_s",
    "from_epoch_s",
    "abs",
    "floor",
    "ceil",
    "length",
    "md5",
    "sha256",
];

/// Lets `.payment | dec_add(.postFee)` mean what it says.
///
/// In jq `.postFee` would be asked of the payment, which is a number and has no fields. So the arguments of a function
/// of a plain value are given what the value before the `|` was taken from.
pub(crate) fn origins(of: T<'_>) -> T<'_> {
    let Term::BinOp(first, BinaryOp::Pipe(None), rest) = of else { return children(of, &origins) };
    let first = origins(*first);
    let (rest, asks) = of_origin(*rest);
    let piped = Term::BinOp(Box::new(first), BinaryOp::Pipe(None), Box::new(rest));
    if !asks {
        return piped;
    }
    let binding = BinaryOp::Pipe(Some(Pattern::Var(ORIGIN)));
    Term::BinOp(Box::new(Term::Id), binding, Box::new(piped))
}

/// What follows a `|`, and whether any of its arguments is asked of the origin.
fn of_origin<'s>(of: T<'s>) -> (T<'s>, bool) {
    match of {
        Term::Call(name, args) if OF_PLAIN_VALUES.contains(&name) => {
            let mut asks = false;
            let mut arg = |arg: T<'s>| {
                if !reads(&arg) {
                    return arg;
                }
                asks = true;
                let origin = Box::new(Term::Var(ORIGIN));
                Term::BinOp(origin, BinaryOp::Pipe(None), Box::new(origins(arg)))
            };
            let args = args.into_iter().map(&mut arg).collect();
            (Term::Call(name, args), asks)
        }
        Term::BinOp(left, BinaryOp::Pipe(None), right) if is_of_plain_value(&left) => {
            let (left, first) = of_origin(*left);
            let (right, second) = of_origin(*right);
            (Term::BinOp(Box::new(left), BinaryOp::Pipe(None), Box::new(right)), first || second)
        }
        other => (origins(other), false),
    }
}

fn is_of_plain_value(of: &T<'_>) -> bool {
    matches!(of, Term::Call(name, _) if OF_PLAIN_VALUES.contains(name))
}

/// Whether a term depends on what it is given.
fn reads(of: &T<'_>) -> bool {
    match of {
        Term::Num(_) | Term::Var(_) | Term::Arr(None) => false,
        Term::Str(_, parts) => parts.iter().any(|part| matches!(part, StrPart::Term(of) if reads(of))),
        Term::Neg(of) => reads(of),
        Term::BinOp(left, BinaryOp::Comma | BinaryOp::Math(_), right) => reads(left) || reads(right),
        _ => true,
    }
}
