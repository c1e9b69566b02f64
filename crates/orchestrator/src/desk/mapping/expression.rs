//! Which fields an expression reads, as far as its text shows.

/// The paths that stand in an expression, as a rule would write them: `.items[].price` is `items[*].price`,
/// `$record.tid` is `$.tid`. Of what stands behind a pipe it is not known what it is said of.
pub(super) fn paths(expression: &str) -> Vec<String> {
    let mut found = Vec::new();
    // Of each open parenthesis, whether it was opened inside a text: `"\(.id)"`.
    let mut open: Vec<bool> = Vec::new();
    let mut rest = expression;
    let mut before = ' ';
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        let is_start = !(before.is_alphanumeric() || matches!(before, '_' | ']' | ')' | '"' | '.' | '?'));
        match c {
            '"' => {
                (rest, before) = text(after, &mut open);
                continue;
            }
            '(' => open.push(false),
            ')' if open.pop() == Some(true) => {
                (rest, before) = text(after, &mut open);
                continue;
            }
            '.' if is_start => {
                let (path, remaining) = path(after);
                found.extend((!path.is_empty()).then_some(path));
                (rest, before) = (remaining, 'x');
                continue;
            }
            '$' => {
                if let Some(after) = after.strip_prefix("record.") {
                    let (path, remaining) = path(after);
                    found.extend((!path.is_empty()).then(|| format!("$.{path}")));
                    (rest, before) = (remaining, 'x');
                    continue;
                }
                // Another variable: what follows is said of its value.
                let end = after.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(after.len());
                (rest, before) = (&after[end..], 'x');
                continue;
            }
            _ => {}
        }
        (rest, before) = (after, c);
    }
    found.dedup();
    found
}

/// What follows a text whose first quote is already read, or begins inside it, and what stands before that.
fn text<'a>(mut rest: &'a str, open: &mut Vec<bool>) -> (&'a str, char) {
    loop {
        let Some(at) = rest.find(['"', '\\']) else { return ("", '"') };
        let is_end = rest[at..].starts_with('"');
        rest = &rest[at + 1..];
        if is_end {
            return (rest, '"');
        }
        if let Some(inner) = rest.strip_prefix('(') {
            open.push(true);
            return (inner, '(');
        }
        let mut chars = rest.chars();
        chars.next();
        rest = chars.as_str();
    }
}

/// The path behind a dot, and what follows it.
fn path(mut rest: &str) -> (String, &str) {
    let mut path = String::new();
    loop {
        let name = if let Some(quoted) = rest.strip_prefix('"') {
            quoted.split_once('"').map(|(name, after)| (format!("\"{name}\""), after))
        } else {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            (end > 0).then(|| (rest[..end].to_owned(), &rest[end..]))
        };
        let Some((name, after)) = name else { return (path, rest) };
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(&name);
        rest = after;
        while let Some(inner) = rest.strip_prefix('[') {
            let Some((index, after)) = inner.split_once(']') else { return (path, "") };
            if !index.is_empty() && index.parse::<usize>().is_err() {
                return (path, rest);
            }
            path.push_str("[*]");
            rest = after;
        }
        match rest.strip_prefix('.') {
            Some(after) if after.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '"') => rest = after,
            _ => return (path, rest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found() {
        for (expression, expected) in [
            (".payment | dec_add(.postFee)", &["payment", "postFee"][..]),
            ("[.items[].qty] | add > 1", &["items[*].qty"]),
            (".price | dec_div($record.payment; 4; \"half-up\")", &["price", "$.payment"]),
            ("\"KM-\\(.id | pad_left(6; \"0\"))\" + .b", &["id", "b"]),
            (".tid as $t | $t.x", &["tid"]),
            (".\"单价\" * .a.b[0].c", &["\"单价\"", "a.b[*].c"]),
            ("0.1 + .fee", &["fee"]),
            (". | trim", &[]),
            ("\"a.b \\\" .c\"", &[]),
        ] {
            assert_eq!(paths(expression), expected, "{expression}");
        }
    }
}
