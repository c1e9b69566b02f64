//! Finds the texts of Rust sources that can reach a person, for the test that none lacks its Chinese.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::pattern::split;

/// What a call or macro is named whose texts never reach a person: a mistake in the program, a log, a test.
const UNSAID: [&str; 15] = [
    "assert",
    "assert_eq",
    "assert_ne",
    "debug",
    "debug_assert",
    "debug_assert_eq",
    "expect",
    "expect_err",
    "include_str",
    "info",
    "panic",
    "trace",
    "unreachable",
    "warn",
    "info_span",
];
/// Macros whose first text has holes.
const FORMATS: [&str; 4] = ["format", "format_args", "write", "writeln"];

/// How a statement for the database begins.
const SQL: [&str; 8] = ["DELETE ", "INSERT ", "RELEASE ", "ROLLBACK ", "SAVEPOINT ", "SELECT ", "UPDATE ", "{insert} "];

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Mark(char),
}

/// A text of the sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    /// As `format!` has it: holes in braces, braces doubled.
    pub(super) pattern: String,
    /// The file that it stands in.
    pub(super) file: PathBuf,
    /// Whether it is prose, and not one word or none.
    pub(super) is_sentence: bool,
}

/// The texts in a source, or in all sources of a folder, that may reach a person; tests are left out.
pub(super) fn texts(place: &Path) -> Vec<Said> {
    let mut files = Vec::new();
    gather(place, &mut files);
    files.sort();
    let read = |file: PathBuf| {
        let text = std::fs::read_to_string(&file).unwrap();
        (file, tokens(&text))
    };
    let sources: Vec<(PathBuf, Vec<Token>)> = files.into_iter().map(read).collect();
    let only_tests: BTreeSet<PathBuf> = sources.iter().flat_map(|(file, tokens)| test_files(file, tokens)).collect();
    let of_file = |(file, tokens): &(PathBuf, Vec<Token>)| {
        let said = |pattern: String| Said { file: file.clone(), is_sentence: is_sentence(&pattern), pattern };
        said_in(tokens).into_iter().map(said).collect::<Vec<_>>()
    };
    let is_test = |file: &Path| only_tests.iter().any(|test| file == test || file.starts_with(test.with_extension("")));
    sources.iter().filter(|(file, _)| !is_test(file)).flat_map(of_file).collect()
}

/// The sentences of one source.
pub(super) fn sentences_of(source: &str) -> Vec<String> {
    said_in(&tokens(source)).into_iter().filter(|pattern| is_sentence(pattern)).collect()
}

fn gather(place: &Path, files: &mut Vec<PathBuf>) {
    if place.is_dir() {
        for entry in std::fs::read_dir(place).unwrap() {
            gather(&entry.unwrap().path(), files);
        }
    } else if place.extension().is_some_and(|ext| ext == "rs") {
        files.push(place.to_owned());
    }
}

/// The words, texts and marks of a source, comments and byte strings left out.
fn tokens(source: &str) -> Vec<Token> {
    let chars: Vec<char> = source.chars().collect();
    let mut all = Vec::new();
    let mut at = 0;
    let is = |at: usize, c: char| chars.get(at) == Some(&c);
    while at < chars.len() {
        let c = chars[at];
        if c == '/' && is(at + 1, '/') {
            while at < chars.len() && chars[at] != '\n' {
                at += 1;
            }
        } else if c == '/' && is(at + 1, '*') {
            while at < chars.len() && !(chars[at] == '*' && is(at + 1, '/')) {
                at += 1;
            }
            at += 2;
        } else if c == '"' {
            let (text, end) = quoted(&chars, at + 1);
            all.push(Token::Text(text));
            at = end;
        } else if c == '\'' {
            // A lifetime has no closing quote: `'a`, `'static`.
            at += match () {
                () if is(at + 1, '\\') => 3 + chars[at + 3..].iter().position(|c| *c == '\'').unwrap_or(0) + 1,
                () if is(at + 2, '\'') => 3,
                () => 1,
            };
        } else if c.is_alphanumeric() || c == '_' {
            let start = at;
            while at < chars.len() && (chars[at].is_alphanumeric() || chars[at] == '_') {
                at += 1;
            }
            let word: String = chars[start..at].iter().collect();
            let hashes = chars[at..].iter().take_while(|c| **c == '#').count();
            match word.as_str() {
                "r" | "br" if is(at + hashes, '"') => {
                    let start = at + hashes + 1;
                    let closes = |at: &usize| is(*at, '"') && (1..=hashes).all(|n| is(at + n, '#'));
                    let end = (start..chars.len()).find(closes).unwrap_or(chars.len());
                    if word == "r" {
                        all.push(Token::Text(chars[start..end].iter().collect()));
                    }
                    at = end + hashes + 1;
                }
                "b" if is(at, '"') => at = quoted(&chars, at + 1).1,
                _ => all.push(Token::Word(word)),
            }
        } else {
            if !c.is_whitespace() {
                all.push(Token::Mark(c));
            }
            at += 1;
        }
    }
    all
}

/// A text up to its closing quote, and where what follows begins.
fn quoted(chars: &[char], mut at: usize) -> (String, usize) {
    let mut text = String::new();
    while at < chars.len() && chars[at] != '"' {
        if chars[at] != '\\' {
            text.push(chars[at]);
            at += 1;
            continue;
        }
        match chars[at + 1] {
            'n' => text.push('\n'),
            't' => text.push('\t'),
            'r' => text.push('\r'),
            '\n' => {
                at += 2;
                while chars[at].is_whitespace() {
                    at += 1;
                }
                continue;
            }
            'u' => {
                let len = chars[at + 3..].iter().take_while(|c| **c != '}').count();
                let code: String = chars[at + 3..at + 3 + len].iter().collect();
                text.push(u32::from_str_radix(&code, 16).ok().and_then(char::from_u32).unwrap());
                at += len + 4;
                continue;
            }
            c => text.push(c),
        }
        at += 2;
    }
    (text, at + 1)
}

/// The index behind what opens at `at`, a bracket of any kind.
fn behind(tokens: &[Token], at: usize) -> usize {
    let mut depth = 0;
    for (i, token) in tokens.iter().enumerate().skip(at) {
        match token {
            Token::Mark('(' | '[' | '{') => depth += 1,
            Token::Mark(')' | ']' | '}') => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return i + 1;
        }
    }
    tokens.len()
}

/// Whether the attribute that begins at `at` leaves what follows to tests.
fn is_for_tests(tokens: &[Token], at: usize) -> bool {
    let word = |word: &str| Token::Word(word.to_owned());
    tokens[at..].starts_with(&[Token::Mark('#'), Token::Mark('['), word("cfg"), Token::Mark('('), word("test")])
}

/// The index behind the item that begins at `at`.
fn behind_item(tokens: &[Token], mut at: usize) -> usize {
    while at < tokens.len() {
        match &tokens[at] {
            Token::Mark(';') => return at + 1,
            Token::Mark('{') => return behind(tokens, at),
            Token::Mark('(' | '[') => at = behind(tokens, at),
            _ => at += 1,
        }
    }
    at
}

/// The files that only tests are made of: `#[cfg(test)] mod tests;`.
fn test_files(file: &Path, tokens: &[Token]) -> Vec<PathBuf> {
    let folder = file.parent().unwrap();
    let own = folder.join(file.file_stem().unwrap());
    let mut all = Vec::new();
    for at in 0..tokens.len() {
        if !is_for_tests(tokens, at) {
            continue;
        }
        let item = &tokens[at..behind_item(tokens, at)];
        for pair in item.windows(3) {
            match pair {
                [Token::Word(word), Token::Word(name), Token::Mark(';')] if word == "mod" => {
                    all.extend([folder.join(format!("{name}.rs")), own.join(format!("{name}.rs"))]);
                }
                [Token::Word(word), Token::Mark('='), Token::Text(name)] if word == "path" => {
                    all.push(folder.join(name));
                }
                _ => {}
            }
        }
    }
    all
}

/// The texts among the tokens of one file that may reach a person.
fn said_in(tokens: &[Token]) -> Vec<String> {
    let mut all = Vec::new();
    let mut at = 0;
    let mut format_at = None;
    while at < tokens.len() {
        match &tokens[at] {
            Token::Mark('#') if tokens.get(at + 1) == Some(&Token::Mark('[')) => {
                let end = behind(tokens, at + 1);
                at = if is_for_tests(tokens, at) { behind_item(tokens, end) } else { end };
                continue;
            }
            Token::Word(word) if word == "impl" && is_for_developers(&tokens[at..]) => {
                at = behind_item(tokens, at);
                continue;
            }
            Token::Word(word) => {
                let is_macro = tokens.get(at + 1) == Some(&Token::Mark('!'));
                let opens = at + 1 + usize::from(is_macro);
                let is_call = matches!(tokens.get(opens), Some(Token::Mark('(' | '[' | '{')));
                if is_call && UNSAID.contains(&word.as_str()) {
                    at = behind(tokens, opens);
                    continue;
                }
                if is_call && is_macro && FORMATS.contains(&word.as_str()) {
                    // The first text of the macro, which `write!` puts after the place to write to.
                    let end = behind(tokens, opens);
                    format_at = (opens..end).find(|i| matches!(tokens[*i], Token::Text(_)));
                }
            }
            Token::Text(text) if !is_said_in_chinese_too(&tokens[at..]) => {
                all.push(if format_at == Some(at) { without_forms(text) } else { escaped(text) });
            }
            Token::Text(_) | Token::Mark(_) => {}
        }
        at += 1;
    }
    all
}

/// Whether an `impl` says how a thing looks in logs: `impl fmt::Debug for Client {`.
fn is_for_developers(tokens: &[Token]) -> bool {
    let head: Vec<&Token> = tokens.iter().take_while(|token| **token != Token::Mark('{')).collect();
    let word = |token: &Token, expected: &str| matches!(token, Token::Word(word) if word == expected);
    head.windows(2).any(|pair| word(pair[0], "Debug") && word(pair[1], "for"))
}

/// Whether a text is Chinese, or the Chinese of it follows, as in a stream's title.
fn is_said_in_chinese_too(tokens: &[Token]) -> bool {
    let is_chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    match tokens {
        [Token::Text(text), ..] if is_chinese(text) => true,
        [Token::Text(_), Token::Mark(','), Token::Text(next), ..] => is_chinese(next),
        _ => false,
    }
}

/// Braces that are no holes are doubled, as `format!` has them.
fn escaped(text: &str) -> String {
    text.replace('{', "{{").replace('}', "}}")
}

/// The holes without how they are written: `{n:>2}` becomes `{n}`.
fn without_forms(text: &str) -> String {
    let mut pattern = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        pattern.push_str(before);
        pattern.push('{');
        if let Some(after) = after.strip_prefix('{') {
            pattern.push('{');
            rest = after;
            continue;
        }
        let (hole, after) = after.split_once('}').unwrap_or((after, ""));
        pattern.push_str(hole.split(':').next().unwrap_or_default());
        pattern.push('}');
        rest = after;
    }
    pattern + rest
}

/// Whether it is prose: at least two words, one of them in small letters and not in a hole.
fn is_sentence(pattern: &str) -> bool {
    let is_sql = SQL.iter().any(|word| pattern.starts_with(word));
    // A piece of a file: `[accounts.km]`, `key = "…"`, `{ from = […] }`.
    let key = pattern.split_once(" = ").map(|(key, _)| key.trim_start_matches("{{ "));
    let is_setting = key.is_some_and(|key| key.chars().all(|c| c.is_ascii_lowercase() || c == '_'));
    let is_example = is_setting || pattern.starts_with(['[', '#']);
    let words: String = split(pattern).into_iter().map(Result::unwrap_or_default).collect();
    let is_word = |word: &str| {
        let word = word.trim_matches(|c: char| c.is_ascii_punctuation());
        word.len() > 1 && word.chars().all(|c| c.is_ascii_lowercase())
    };
    !is_sql && !is_example && pattern.trim().contains(' ') && words.split_whitespace().any(is_word)
}
