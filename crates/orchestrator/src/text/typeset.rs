//! How Chinese is set: where a blank stands between two pieces of a sentence, and which colon follows a word.

use std::fmt::Display;

use super::Lang;

/// Adds a piece to a Chinese sentence: a blank stands between Chinese and Latin writing, names in backticks included,
/// and none between Chinese and Chinese, whatever the pieces begin and end with. What stands in backticks stays as it
/// is.
pub(super) fn set(told: &mut String, piece: &str) {
    if told.matches('`').count() % 2 == 1 {
        return told.push_str(piece);
    }
    let mut piece = piece;
    if let Some(rest) = piece.strip_prefix(' ')
        && told.ends_with(is_chinese)
        && rest.starts_with(is_chinese)
    {
        piece = rest;
    } else if let Some(before) = told.strip_suffix(' ')
        && before.ends_with(is_chinese)
        && piece.starts_with(is_chinese)
    {
        told.pop();
    } else if told.ends_with(is_word) && piece.starts_with(is_latin)
        || told.ends_with(is_latin) && piece.starts_with(is_word)
    {
        told.push(' ');
    }
    told.push_str(piece);
}

/// A Chinese character, but for punctuation, which is wide enough by itself.
fn is_word(c: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&c)
}

/// Also the punctuation of Chinese.
fn is_chinese(c: char) -> bool {
    is_word(c) || ('\u{3001}'..='\u{303f}').contains(&c) || ('\u{ff01}'..='\u{ff60}').contains(&c)
}

fn is_latin(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '`'
}

impl Lang {
    /// What follows a word that says what comes next.
    pub(crate) fn colon(self) -> &'static str {
        match self {
            Self::En => ": ",
            Self::Zh => "：",
        }
    }

    /// A word, and what it is about: `error: the disk is full`.
    pub(crate) fn labelled(self, label: impl Display, what: impl Display) -> String {
        format!("{label}{}{what}", self.colon())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_stand_between_chinese_and_latin_only() {
        let cases: &[(&[&str], &str)] = &[
            (&["流程文件", " 中没有 `", "x", "` 这个键"], "流程文件中没有 `x` 这个键"),
            (&["", "[sink]", " 中没有"], "[sink] 中没有"),
            (&["账户 `", "快麦", "` 没有", "流"], "账户 `快麦` 没有流"),
            (&["milkrun.toml", "中没有"], "milkrun.toml 中没有"),
            (&["应为", "3", "张"], "应为 3 张"),
            (&["等待 ", "限额", " ", "满"], "等待限额满"),
            (&["状态：", " 好"], "状态：好"),
            (&["  ", "流程", "  ", "状态"], "  流程  状态"),
            (&["`km` ", "（流程）"], "`km` （流程）"),
        ];
        for (pieces, expected) in cases {
            let mut told = String::new();
            pieces.iter().for_each(|piece| set(&mut told, piece));
            assert_eq!(told, *expected);
        }
    }

    #[test]
    fn each_language_has_its_colon() {
        assert_eq!(Lang::En.labelled("error", 1), "error: 1");
        assert_eq!(Lang::Zh.labelled("错误", 1), "错误：1");
    }
}
