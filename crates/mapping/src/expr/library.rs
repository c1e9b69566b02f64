//! The functions that are written in the language itself: read once, and only those that an expression needs compiled.

use std::cell::RefCell;
use std::sync::LazyLock;

use jaq_core::load;
use jaq_core::load::parse::{Def, Term};

use super::functions::FUNCTIONS;
use super::rewrite::{self, children};

/// A function: its name, and how many arguments it takes.
pub(crate) type Known = (&'static str, usize);

/// One definition with its turns paid, and what it calls.
struct Entry {
    def: Def<&'static str>,
    calls: Vec<Known>,
}

static LIBRARY: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    let defs = load::parse(include_str!("library.jq"), |parser| parser.defs());
    let entry = |def: Def<&'static str>| {
        let calls = calls(def.body.clone());
        Entry { def: rewrite::definition(def), calls }
    };
    defs.expect("the library is part of the program").into_iter().map(entry).collect()
});

/// The functions that expressions may call.
pub(crate) static KNOWN: LazyLock<Vec<Known>> = LazyLock::new(|| {
    let ours = FUNCTIONS.iter().map(|f| (f.name, f.arity));
    let jaqs = [("range", 3), ("first", 1), ("last", 1), ("limit", 2), ("skip", 2)];
    ours.chain(LIBRARY.iter().map(|entry| (entry.def.name, entry.def.args.len()))).chain(jaqs).collect()
});

/// The definitions that a term needs, in the library's order.
pub(crate) fn needed<'s>(term: &Term<&'s str>) -> Vec<Def<&'s str>> {
    let mut wanted = calls(term.clone());
    let mut taken = Vec::new();
    // A definition calls only those before it.
    for entry in LIBRARY.iter().rev() {
        if wanted.contains(&(entry.def.name, entry.def.args.len())) {
            wanted.extend(&entry.calls);
            taken.push(entry.def.clone());
        }
    }
    taken.reverse();
    taken
}

/// What a term calls, with repetitions.
fn calls(term: Term<&str>) -> Vec<(&str, usize)> {
    fn note<'s>(term: Term<&'s str>, all: &RefCell<Vec<(&'s str, usize)>>) -> Term<&'s str> {
        match &term {
            Term::Call(name, args) => all.borrow_mut().push((name, args.len())),
            Term::Str(Some(format), _) => all.borrow_mut().push((format, 0)),
            _ => {}
        }
        children(term, &|term| note(term, all))
    }
    let all = RefCell::default();
    note(term, &all);
    all.into_inner()
}
