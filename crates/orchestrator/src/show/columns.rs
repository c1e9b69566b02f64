//! Two JSON texts side by side, each value as it was written.

use console::measure_text_width;

/// The narrowest column that is worth two.
const NARROWEST: usize = 36;
/// How wide two columns are where nobody knows the width of the terminal.
pub(crate) const USUAL_WIDTH: usize = 120;

/// JSON on several lines, indented by two blanks; values keep every byte, short lists and objects stay on one line.
pub(crate) fn pretty(json: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut depth = 0usize;
    let mut rest = json.trim();
    while let Some(c) = rest.chars().next() {
        let taken = match c {
            '{' | '[' => {
                let len = short(rest);
                last(&mut lines).push_str(&rest[..len.unwrap_or(1)]);
                if len.is_none() {
                    depth += 1;
                    lines.push("  ".repeat(depth));
                }
                len.unwrap_or(1)
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                lines.push(format!("{}{c}", "  ".repeat(depth)));
                1
            }
            ',' => {
                last(&mut lines).push(c);
                lines.push("  ".repeat(depth));
                1
            }
            ':' => {
                last(&mut lines).push_str(": ");
                1
            }
            '"' => {
                let len = text_len(rest);
                last(&mut lines).push_str(&rest[..len]);
                len
            }
            _ => {
                let len = rest.find(|c: char| ",:{}[]\"".contains(c) || c.is_whitespace()).unwrap_or(rest.len()).max(1);
                last(&mut lines).push_str(&rest[..len]);
                len
            }
        };
        rest = rest[taken..].trim_start();
    }
    lines
}

fn last(lines: &mut [String]) -> &mut String {
    lines.last_mut().expect("there is one from the start")
}

/// How many bytes a text in quotes takes, the quotes included.
fn text_len(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// The length of a list or object that holds no other one and is short.
fn short(rest: &str) -> Option<usize> {
    const SHORT: usize = 40;
    let mut at = 1;
    while at < rest.len().min(SHORT) {
        match rest.as_bytes()[at] {
            b'}' | b']' => return Some(at + 1),
            b'{' | b'[' => return None,
            b'"' => at += text_len(&rest[at..]),
            _ => at += 1,
        }
    }
    None
}

/// Lines with what stands on the left beside what stands on the right; below each other where two do not fit.
pub(crate) fn side_by_side(left: &[String], right: &[String], width: usize) -> Vec<String> {
    const BETWEEN: &str = "  │  ";
    let column = width.saturating_sub(measure_text_width(BETWEEN)) / 2;
    if column < NARROWEST {
        return left.iter().chain(right).cloned().collect();
    }
    let (left, right) = (wrapped(left, column), wrapped(right, column));
    let none = String::new();
    let line = |i: usize| {
        let (l, r) = (left.get(i).unwrap_or(&none), right.get(i).unwrap_or(&none));
        let blanks = " ".repeat(column - measure_text_width(l));
        format!("{l}{blanks}{BETWEEN}{r}").trim_end().to_owned()
    };
    (0..left.len().max(right.len())).map(line).collect()
}

/// The lines, each no wider than `width`; what does not fit goes on below, indented as its line is.
fn wrapped(lines: &[String], width: usize) -> Vec<String> {
    let mut all = Vec::new();
    for line in lines {
        let indent = line.len() - line.trim_start().len();
        let mut now = String::new();
        let mut used = 0;
        for c in line.chars() {
            let wide = measure_text_width(c.encode_utf8(&mut [0; 4]));
            if used + wide > width {
                all.push(std::mem::replace(&mut now, " ".repeat((indent + 4).min(width / 2))));
                used = now.len();
            }
            now.push(c);
            used += wide;
        }
        all.push(now);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_every_byte() {
        let json = r#"{"id":6920000000000000001,"a":0.10,"s":"a,\"b\":{c}","lines":[{"n":1E+2,"t":"一二三四五六七八九十"},{}],"e":[]}"#;
        let expected = r#"{
  "id": 6920000000000000001,
  "a": 0.10,
  "s": "a,\"b\":{c}",
  "lines": [
    {
      "n": 1E+2,
      "t": "一二三四五六七八九十"
    },
    {}
  ],
  "e": []
}"#;
        assert_eq!(pretty(json).join("\n"), expected);
        assert_eq!(pretty("[1, 2]"), ["[1, 2]"]);
    }

    #[test]
    fn columns_count_chinese_characters_as_two() {
        let lines = |text: &[&str]| text.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
        let shown = side_by_side(&lines(&["名称", "  长长长长长长长长长长长长长长长长长长长长"]), &lines(&["x"]), 80);
        assert_eq!(shown[0], format!("名称{}  │  x", " ".repeat(33)));
        assert!(shown.len() == 3 && shown.iter().all(|line| measure_text_width(line) <= 80), "{shown:?}");
        assert_eq!(side_by_side(&lines(&["a"]), &lines(&["b"]), 40), ["a", "b"]);
    }
}
