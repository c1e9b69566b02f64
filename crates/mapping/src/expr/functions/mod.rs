//! The functions of expressions that are written in Rust: names, arguments, and what they are called with.

mod dates;
mod lists;
mod lookup;
mod numbers;
mod texts;

use jaq_core::box_iter::box_once;
use jaq_core::native::{self, Fun};
use jaq_core::{Cv, Exn, Native, ValXs};

use super::kind::{Env, Kind};
use super::meter;
use super::ops::{fail, spent};
use super::value::Val;

pub(crate) use dates::{check_format, check_zone};
pub(crate) use texts::HASHES;

/// A value that does not fit, and why.
pub(crate) struct Wrong(pub(crate) Val, pub(crate) String);

pub(crate) type Answer = Result<Val, Wrong>;

/// Says what a value is, and what it should be.
pub(crate) fn wrong(value: &Val, expected: &str) -> Wrong {
    Wrong(value.clone(), format!("is {}, not {expected}", value.kind()))
}

/// The name of the function that ends an evaluation whose budget is spent. It cannot be written in an expression, and
/// what it raises cannot be caught by `try`.
pub(crate) const TICK: &str = "tick!";

/// The exit code of a spent budget, which no one sees.
const SPENT: i32 = 1;

fn tick<'a, T: 'a>(value: T) -> Result<T, Exn<'a, Val>> {
    if meter::pay(1) { Ok(value) } else { Err(Exn::halt(SPENT)) }
}

fn call<const N: usize>(mut cv: Cv<'_, Kind>, f: fn(&Env, &Val, &[Val; N]) -> Answer) -> ValXs<'_, Val> {
    let mut args: [Val; N] = std::array::from_fn(|_| Val::Null);
    for arg in args.iter_mut().rev() {
        *arg = cv.0.pop_var();
    }
    if !meter::pay(1) {
        return box_once(Err(spent().into()));
    }
    let env = cv.0.data().env;
    box_once(f(env, &cv.1, &args).map_err(|Wrong(value, reason)| fail(&value, reason).into()))
}

/// A function of one value to one value, and how it is written.
pub(crate) struct Function {
    pub(crate) name: &'static str,
    pub(crate) arity: usize,
    fun: fn() -> Fun<Kind>,
}

macro_rules! functions {
    ($($name:literal $arity:literal $f:expr;)*) => {
        &[$(Function {
            name: $name,
            arity: $arity,
            fun: || ($name, native::v($arity), Native::new(|cv| call::<$arity>(cv, $f))),
        }),*]
    };
}

/// Every function in Rust. Each gives exactly one value, or refuses.
pub(crate) const FUNCTIONS: &[Function] = functions! {
    "null" 0 |_, _, []| Ok(Val::Null);
    "true" 0 |_, _, []| Ok(Val::Bool(true));
    "false" 0 |_, _, []| Ok(Val::Bool(false));
    "length" 0 lists::length;
    "keys" 0 lists::keys;
    "has" 1 lists::has;
    "contains" 1 lists::contains;
    "in" 1 lists::within;
    "reverse" 0 lists::reverse;
    "flatten" 0 lists::flatten;
    "join" 1 lists::join;
    "index" 1 lists::index;
    "is_empty" 0 |_, value, []| Ok(Val::Bool(lists::is_empty(value)));
    "type" 0 |_, value, []| Ok(Val::text(lists::type_name(value)));
    "sorted_pairs" 0 lists::sorted_pairs;
    "grouped_pairs" 0 lists::grouped_pairs;
    "tojson" 0 |_, value, []| Ok(texts::to_json(value));
    "fromjson" 0 texts::from_json;
    "startswith" 1 texts::starts_with;
    "endswith" 1 texts::ends_with;
    "ltrimstr" 1 texts::without_prefix;
    "rtrimstr" 1 texts::without_suffix;
    "trim" 0 texts::trim;
    "ltrim" 0 texts::trim_start;
    "rtrim" 0 texts::trim_end;
    "split" 1 texts::split;
    "replace" 2 texts::replace;
    "upper" 0 texts::upper;
    "lower" 0 texts::lower;
    "ascii_upcase" 0 texts::upper;
    "ascii_downcase" 0 texts::lower;
    "cut" 1 texts::cut;
    "left" 1 texts::cut;
    "right" 1 texts::right;
    "pad_left" 2 texts::pad_left;
    "pad_right" 2 texts::pad_right;
    "md5" 0 texts::md5;
    "sha256" 0 texts::sha256;
    "hash" 1 texts::hash;
    "tonumber" 0 numbers::to_number;
    "floor" 0 numbers::floor;
    "ceil" 0 numbers::ceil;
    "abs" 0 numbers::abs;
    "round" 2 numbers::round;
    "fixed" 2 numbers::fixed;
    "fen_to_yuan" 0 numbers::fen_to_yuan;
    "yuan_to_fen" 0 numbers::yuan_to_fen;
    "dec_add" 1 numbers::dec_add;
    "dec_sub" 1 numbers::dec_sub;
    "dec_mul" 1 numbers::dec_mul;
    "dec_div" 3 numbers::dec_div;
    "date" 0 dates::date;
    "date" 1 dates::date_in;
    "datetime" 0 dates::datetime;
    "datetime" 1 dates::datetime_in;
    "format_date" 1 dates::format;
    "format_date" 2 dates::format_in;
    "parse_date" 1 dates::parse;
    "parse_date" 2 dates::parse_in;
    "from_zone" 1 dates::from_zone;
    "add_days" 1 dates::add_days;
    "add_months" 1 dates::add_months;
    "epoch_ms" 0 dates::epoch_ms;
    "epoch_s" 0 dates::epoch_s;
    "from_epoch_s" 0 dates::from_epoch_s;
    "lookup" 2 lookup::lookup;
    "lookup" 3 lookup::lookup_column;
    "lookup_required" 2 lookup::required;
    "lookup_required" 3 lookup::required_column;
};

/// Functions of jaq itself that loop over what they are given and no further.
const JAQS: &[(&str, usize)] =
    &[("error_empty", 0), ("key_values", 0), ("range", 3), ("first", 1), ("last", 1), ("limit", 2), ("skip", 2)];

/// All of them, as the compiler wants them.
pub(crate) fn all() -> impl Iterator<Item = Fun<Kind>> {
    let ours = FUNCTIONS.iter().map(|f| (f.fun)());
    let jaqs = jaq_core::funs::<Kind>().filter(|(name, args, _)| JAQS.contains(&(*name, args.len())));
    let run = Native::<Kind>::new(|cv| box_once(tick(cv.1)));
    let run = run.with_paths(|cv| box_once(tick(cv.1)));
    let run = run.with_update(|cv, f| match tick(cv.1) {
        Ok(value) => f(value),
        Err(spent) => box_once(Err(spent)),
    });
    ours.chain(jaqs).chain([(TICK, native::v(0), run)])
}
