//! What must not harm the engine does not: hostile expressions end with a reason, within their steps.

use super::meter::{self, DEEPEST};
use super::value::Val;
use super::*;

fn around(tables: &Tables) -> Around<'_> {
    Around { here: Some(&[]), element: None, unit_of: &|_| None, tables }
}

fn compile(text: &str) -> Compiled {
    Expr::compile(text, &around(&Tables::new()))
}

/// The values, one in a line, or the reason.
fn run(text: &str, input: &str) -> Result<String, String> {
    run_within(text, input, || meter::start(input.len()))
}

fn run_within(text: &str, input: &str, start: impl Fn()) -> Result<String, String> {
    let (expr, _) = compile(text).map_err(|notes| notes[0].message.clone())?;
    let env = Env { zone: jiff::tz::TimeZone::get("Asia/Shanghai").unwrap(), tables: std::sync::Arc::default() };
    start();
    let input = write::read(input);
    let mut out = Vec::new();
    let result = expr.run(&env, input.clone(), [input, Val::Null], |value| {
        let mut json = String::new();
        if !write::write(&value, &mut json) {
            return Err(Failure::of_stop(meter::stopped().unwrap()));
        }
        out.push(json);
        Ok(())
    });
    // The account holds whatever the outcome: no more steps are taken than were granted.
    assert!(meter::taken() <= 2_000_000, "{text}");
    result.map(|()| out.join("\n")).map_err(|f| f.value.map_or(f.reason.clone(), |v| format!("{v} {}", f.reason)))
}

/// A part, again and again.
fn again(part: &str, n: usize, between: &str) -> String {
    vec![part; n].join(between)
}

const RECORD: &str = r#"{"a":1,"l":[1,2,3],"t":"短袖","d":"1e1000","o":{"p":{"q":[{}]}}}"#;

#[test]
fn hostile_expressions_end_with_a_reason() {
    let spent = "took more steps than it may";
    let deep = "nests deeper than";
    let cases: Vec<(String, &str)> = vec![
        // Lists and texts without end.
        ("[range(1000000000000)]".into(), spent),
        ("[range(0; 1e300)] | length".into(), spent),
        ("range(0; 1; 0)".into(), spent),
        ("range(1e12) | empty".into(), spent),
        ("range(1e12) | select(false)".into(), spent),
        ("last(range(1e12))".into(), spent),
        ("first(range(1e12) | select(. < 0))".into(), spent),
        ("isempty(range(1e12) | empty)".into(), spent),
        ("any(range(1e12); . < 0)".into(), spent),
        ("add(range(1e12))".into(), spent),
        ("limit(1e12; range(1e12))".into(), spent),
        ("skip(1e12; range(1e12))".into(), spent),
        ("[limit(1e9; range(1e12) | tostring)]".into(), spent),
        ("reduce range(1e12) as $i (0; . + $i)".into(), spent),
        ("foreach range(1e12) as $i (0; . + $i)".into(), spent),
        ("label $out | range(1e12) | if . < 0 then break $out else empty end".into(), spent),
        ("reduce range(1e6) as $i (\"x\"; . + .)".into(), spent),
        ("reduce range(1e6) as $i ([1]; . + .) | length".into(), spent),
        ("reduce range(1e6) as $i ({}; .[$i | tostring] = 1)".into(), spent),
        ("reduce range(1e6) as $i ([0, 0]; .[0] = $i) | empty".into(), spent),
        ("\"x\" * 1000000000".into(), "needs numbers"),
        ("\"x\" | pad_left(1000000000; \"0\")".into(), "is not a number of characters"),
        ("reduce range(1e6) as $i (\"x\"; pad_left(10000; \"0\") | replace(\"0\"; \"0000000000\"))".into(), spent),
        ("[range(3e4) | tostring] | join(\"----------\") | . + . + . | split(\"\") | length".into(), spent),
        // Numbers without end.
        ("reduce range(1e6) as $i (3; . * .)".into(), "more than 1000 digits"),
        ("1e999999999 + 1".into(), "more than 1000 digits"),
        ("reduce range(1e6) as $i (1.5; . * . | try . catch 1.5) | empty".into(), "more than 1000 digits"),
        // Products and doublings.
        (again("(.,.)", 60, "|"), spent),
        (again("(.,.)", 60, "|") + " | empty", spent),
        (format!("[{}] | length", again("(1,2)", 40, "+")), spent),
        (format!("{{{}}}", (0..40).map(|i| format!("a{i}: (1,2)")).collect::<Vec<_>>().join(",")), spent),
        (format!("\"{}\" | empty", again("\\((1,2))", 40, "")), spent),
        (format!("first(({}) // empty)", again("(false,false)", 40, "|")), spent),
        (format!("first(({}) // empty)", again("((false,false) == (true,true))", 40, " or ")), spent),
        (again("((false, null) // (false, false))", 50, "|") + " | select(.)", spent),
        (format!("[{}]", again(".[]", 1, "") + " , (" + &again("[.,.]", 40, "|") + ")"), spent),
        (again("[., .]", 60, "|"), spent),
        (again("[., .]", 60, "|") + " | tostring | length", spent),
        (format!("({}) as $x | $x == $x", again("[., .]", 60, "|")), spent),
        (format!("({}) | [..] | length", again("[., .]", 60, "|")), spent),
        (format!("({}) | flatten | length", again("[., .]", 60, "|")), spent),
        (format!("({}) | sort", again("[., .]", 60, "|")), spent),
        (format!("[{}] | sort | empty", again("(.,.)", 60, "|")), spent),
        (format!("({}) | .. |= 1", again("[., .]", 60, "|")), spent),
        // Turns that give nothing.
        ("reduce range(1e5) as $x ((range(1e5) | .); .)".into(), spent),
        ("range(1e9) as $x | range(1e9) as $y | empty".into(), spent),
        ("[range(1e4)] as [$a] | range(1e9) | empty".into(), spent),
        ("range(1e9) | try error(\"x\") catch empty".into(), spent),
        ("range(1e9) | (.a.b.c)?".into(), spent),
        ("try range(1e9) catch 0 | empty".into(), spent),
        ("[.[]?, ..?] | [..] | [..] | map(..) | map(..) | [range(1e7) | .a?]".into(), spent),
        // Values that nest without end.
        ("reduce range(1e6) as $i (0; [.])".into(), deep),
        ("reduce range(1e6) as $i ({}; {a: .})".into(), deep),
        ("reduce range(1e6) as $i ({}; . as $x | .a = $x)".into(), deep),
        ("reduce range(300) as $i (0; \"[\\(.)]\") | fromjson".into(), deep),
        ("reduce range(1e6) as $i ([]; .[0:0] = [.])".into(), deep),
        // Recursion, in all its forms, is refused when the flow loads.
        ("def f: f; f".into(), "cannot define functions"),
        ("def f: 1 + f; f".into(), "cannot define functions"),
        ("def f(g): g | f(g); f(.)".into(), "cannot define functions"),
        ("until(false; .)".into(), "there is no function `until`"),
        ("repeat(.)".into(), "there is no function `repeat`"),
        ("while(true; .)".into(), "there is no function `while`"),
        ("recurse(.)".into(), "there is no function `recurse`"),
        ("[recurse(if . < 1e9 then . + 1 else empty end)]".into(), "there is no function `recurse`"),
        ("input".into(), "there is no function `input`"),
        ("env".into(), "there is no function `env`"),
        ("$ENV".into(), "there is no variable `$ENV`"),
        ("now".into(), "there is no function `now`"),
        ("debug".into(), "there is no function `debug`"),
        ("halt".into(), "there is no function `halt`"),
        ("import \"a\" as a; .".into(), "expected"),
        ("tick!".into(), "expected an operator"),
        // Places that are changed, as many as one likes.
        ("(reduce range(1e6) as $x (.; .)) |= 1".into(), "has to be a path"),
        ("(foreach range(1e6) as $x (.; .)) |= 1".into(), "has to be a path"),
        ("limit(1; .a) |= 1".into(), "has to be a path"),
        (format!(". | {} |= .", again("(.,.)", 40, "|")), spent),
        (format!("({}) |= (., .)", again(".", 40, ",")), spent),
        (format!(".l{}", again("[(0,1)]?", 40, "")), "between `[` and `]` stands one value"),
        (format!(". as {{{}}} | empty", again("(\"a\",\"b\"): $x", 40, ",")), "a name in a pattern is one value"),
        // Texts that would overflow the reader's stack.
        ("(".repeat(8_000), "closing parenthesis"),
        ("[".repeat(4_000) + &"]".repeat(4_000), "nests too deep"),
        ("-".repeat(8_000) + ".a", "nests too deep"),
        ("try ".repeat(2_000) + ".a", "nests too deep"),
        (again(".", 4_000, "|"), "nests too deep"),
        (again(".", 4_000, ","), "nests too deep"),
        (again("1", 4_000, "+"), "nests too deep"),
        (".a".repeat(4_000), "nests too deep"),
        ("if . then ".repeat(500) + "1" + &" end".repeat(500), "nests too deep"),
        ("if 1 then 1 ".to_owned() + &"elif 1 then 1 ".repeat(550) + "end", "nests too deep"),
        (". as $x | ".repeat(800) + ".", "nests too deep"),
        ("label $x | ".repeat(700) + ".", "nests too deep"),
        ("reduce ".repeat(1_000), "expected"),
        (". as ".to_owned() + &"[".repeat(2_500) + "$x" + &"]".repeat(2_500) + " | .", "nests too deep"),
        ("\"\\(".repeat(1_500) + "1" + &")\"".repeat(1_500), "nests too deep"),
        ("def f: ".repeat(1_000), "expected"),
        (".".repeat(8_193), "longer than 8192 bytes"),
    ];
    assert!(cases.len() >= 25);
    let mut wrong = String::new();
    for (text, expected) in &cases {
        let shown: String = text.chars().take(60).collect();
        // A fifth of what a record is granted, which is as good to end on, and ends sooner.
        match run_within(text, RECORD, || meter::grant(20_000)) {
            Err(reason) if reason.contains(expected) => {}
            found => wrong.extend([&shown, "\n  expected ", expected, "\n  found    ", &format!("{found:?}\n")]),
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_widest_expressions_that_are_allowed_fit_an_ordinary_stack() {
    let wide = [
        again(".", 150, "|"),
        again("1", 150, "+"),
        "[".repeat(110) + &"]".repeat(110),
        format!("{{{}}}", (0..900).map(|i| format!("a{i}: .a")).collect::<Vec<_>>().join(",")),
        "if . then ".repeat(70) + "1" + &" end".repeat(70),
        format!("{} | .. |= .", "[".repeat(100) + &"]".repeat(100)),
    ];
    for text in wide {
        let compiled = compile(&text).map_err(|notes| notes[0].message.clone());
        assert!(compiled.is_ok(), "{} {:?}", &text[..60], compiled.err());
        // A worker's stack, as the engine's runtime has it.
        let worker = std::thread::Builder::new().stack_size(2 * 1024 * 1024);
        let done = worker.spawn(move || run(&text, "{}").map(drop)).unwrap().join();
        done.expect("the stack suffices").expect("it is harmless");
    }
    let depth = usize::from(DEEPEST) - 3;
    let nested = "[".repeat(depth) + &"]".repeat(depth);
    let worker = std::thread::Builder::new().stack_size(2 * 1024 * 1024);
    let of_nested = worker.spawn(move || {
        for text in [".. |= .", "[..] | length", "flatten", "tojson | fromjson", ". == .", "[.,.] | sort", "walk(.)"] {
            run(text, &nested).unwrap_or_else(|reason| panic!("{text}: {reason}"));
        }
    });
    of_nested.unwrap().join().expect("the stack suffices");
}

#[test]
fn budgets_follow_the_record_alone() {
    let steps = |text: &str, input: &str| {
        run(text, input).unwrap();
        meter::taken()
    };
    let text = ".l | map(. + 1) | add";
    assert_eq!(steps(text, RECORD), steps(text, RECORD), "the same record takes the same steps");
    let small = run("[range(1e9)]", "{}").unwrap_err();
    assert_eq!(small, "took more steps than it may (100040 for this record)");
    let large = run("[range(1e9)]", &format!("{{\"a\":\"{}\"}}", "x".repeat(1_000_000))).unwrap_err();
    assert_eq!(large, "took more steps than it may (2000000 for this record)");
}

#[test]
fn objects_of_many_fields_are_read_as_those_of_few() {
    let field = |i: usize| format!("\"k{}\":{i}", i % 150);
    let many = format!("{{{}}}", (0..400).map(field).collect::<Vec<_>>().join(","));
    assert_eq!(run("[length, .k0, .k99, .k100, .k149] | tojson", &many).unwrap(), "\"[150,300,399,250,299]\"");
    assert_eq!(run("[keys[] | select(. == \"k7\")]", &many).unwrap(), "[\"k7\"]");
}

#[test]
fn long_numbers_pay_for_their_length() {
    let record = format!("{{\"n\":{}}}", "9".repeat(100_000));
    for text in [
        "[range(1e6) | . < $record.n] | length",
        "[range(5e4) | $record.n] | tojson | length",
        "[range(1e6) as $i | -$record.n]",
    ] {
        assert!(run(text, &record).unwrap_err().contains("took more steps"), "{text}");
    }
}

#[test]
fn an_evaluation_that_was_stopped_harms_no_other() {
    assert!(run("[range(1e9)]", "{}").is_err());
    assert_eq!(run("[range(3)]", "{}").unwrap(), "[0,1,2]");
    assert!(run("reduce range(1e6) as $i (0; [.])", "{}").is_err());
    assert_eq!(run("[[[1]]]", "{}").unwrap(), "[[[1]]]");
}
