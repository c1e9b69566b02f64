//! What clap says about a command line, in Chinese: help with its marks, and what is wrong.

use std::error::Error as _;

use clap::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::{Lang, fill};

/// What clap writes into help by itself, and the Chinese of it.
const MARKS: [(&str, &str); 10] = [
    ("[default: ", "[默认："),
    ("[possible values: ", "[可选："),
    ("[OPTIONS]", "[选项]"),
    ("<COMMAND>", "<命令>"),
    ("[COMMAND]", "[命令]"),
    ("[aliases: ", "[别名："),
    // The colon behind a heading, and the blank before a bracket.
    ("命令:", "命令："),
    ("选项:", "选项："),
    ("参数:", "参数："),
    ("。 [", "。["),
];

/// What clap says, as it is to be shown; `color` keeps its colours.
pub(crate) fn tell(error: &Error, lang: Lang, color: bool) -> String {
    let said = error.render();
    let said = if color { said.ansi().to_string() } else { said.to_string() };
    match lang {
        Lang::En => said,
        Lang::Zh => mistake(error).unwrap_or_else(|| in_chinese(said)),
    }
}

fn in_chinese(said: String) -> String {
    MARKS.iter().fold(said, |said, (english, chinese)| said.replace(english, chinese))
}

/// What is wrong with a command line; `None` if it is help, or a mistake that hardly anybody makes.
fn mistake(error: &Error) -> Option<String> {
    let text = |kind| match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) => Some(texts.join("、")),
        ContextValue::StyledStr(text) => Some(text.to_string()),
        _ => None,
    };
    let names = |kind, joint| match error.get(kind)? {
        ContextValue::Strings(texts) if !texts.is_empty() => Some(texts.join(joint)),
        ContextValue::String(text) => Some(text.clone()),
        _ => None,
    };
    let lang = Lang::Zh;
    let argument = || text(ContextKind::InvalidArg);
    let (what, nearest) = match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let name = text(ContextKind::InvalidSubcommand)?;
            (fill!(lang, super::NO_SUCH_COMMAND, name = name), ContextKind::SuggestedSubcommand)
        }
        ErrorKind::MissingSubcommand => {
            let name = text(ContextKind::InvalidSubcommand)?;
            (fill!(lang, super::MISSING_COMMAND, name = name), ContextKind::SuggestedSubcommand)
        }
        ErrorKind::UnknownArgument => {
            (fill!(lang, super::NO_SUCH_ARGUMENT, name = argument()?), ContextKind::SuggestedArg)
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let value = text(ContextKind::InvalidValue)?;
            let what = match (value.is_empty(), error.source()) {
                (true, _) => fill!(lang, super::NO_VALUE, name = argument()?),
                (false, Some(why)) => {
                    let why = why.to_string();
                    fill!(lang, super::BAD_ARGUMENT_WHY, name = argument()?, value = value, why = lang.retell(&why))
                }
                (false, None) => fill!(lang, super::BAD_ARGUMENT, name = argument()?, value = value),
            };
            (what, ContextKind::SuggestedValue)
        }
        ErrorKind::ArgumentConflict => {
            let (name, other) = (argument()?, text(ContextKind::PriorArg)?);
            let what = if name == other {
                fill!(lang, super::TWICE, name = name)
            } else {
                fill!(lang, super::NOT_TOGETHER, name = name, other = other)
            };
            (what, ContextKind::SuggestedArg)
        }
        ErrorKind::MissingRequiredArgument => {
            (fill!(lang, super::MISSING_ARGUMENTS, names = argument()?), ContextKind::SuggestedArg)
        }
        _ => return None,
    };
    let mut lines = vec![lang.labelled(lang.say(super::ERROR), what)];
    if let Some(nearest) = names(nearest, "`、`") {
        lines.push(format!("  {}", fill!(lang, super::DID_YOU_MEAN, name = nearest)));
    } else if let Some(known) =
        names(ContextKind::ValidValue, ", ").or_else(|| names(ContextKind::ValidSubcommand, ", "))
    {
        lines.push(format!("  {}", fill!(lang, super::KNOWN_ARE, names = known)));
    }
    if let Some(usage) = text(ContextKind::Usage) {
        let usage = usage.trim_start_matches("Usage:").trim().to_owned();
        lines.push(format!("\n{}{}", lang.say(super::HELP_USAGE), in_chinese(usage)));
    }
    lines.push(format!("\n{}\n", lang.say(super::TRY_HELP)));
    Some(lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(line: &str, lang: Lang) -> String {
        let arguments: Vec<String> = line.split(' ').map(str::to_owned).collect();
        tell(&crate::cli::parse(&arguments, lang).unwrap_err(), lang, false)
    }

    #[test]
    fn mistakes_of_a_command_line_are_told_in_chinese() {
        let lines = [
            "milkrun stat",
            "milkrun zzz",
            "milkrun run --al",
            "milkrun run --all orders",
            "milkrun run --all --all",
            "milkrun status more",
            "milkrun trace",
            "milkrun sandbox nope",
            "milkrun sandbox --orders many",
            "milkrun sandbox --port 99999",
            "milkrun backfill orders --share 200",
            "milkrun serve --listen 7070",
            "milkrun run --log-level loud",
            "milkrun run --dir",
            "milkrun --lang fr status",
            "milkrun dead-letters x --remote-id 3",
            "milkrun import qeasy s.json",
            "milkrun replay x one",
            "milkrun alerts --lang zh",
        ];
        let all: Vec<String> = lines.iter().map(|line| format!("$ {line}\n{}", told(line, Lang::Zh))).collect();
        insta::assert_snapshot!(all.join("\n"));
    }

    #[test]
    fn help_is_chinese_as_a_whole() {
        for line in ["milkrun --help", "milkrun sandbox --help", "milkrun alerts --help", "milkrun backfill -h"] {
            let help = told(line, Lang::Zh);
            for (english, _) in MARKS {
                assert!(!help.contains(english), "{line}: {help}");
            }
            assert!(help.contains("用法："), "{line}: {help}");
            assert!(told(line, Lang::En).contains("Usage:"), "{line}");
        }
    }

    #[test]
    fn flags_of_a_command_come_before_those_of_all() {
        for lang in [Lang::En, Lang::Zh] {
            let help = told("milkrun backfill --help", lang);
            let at = |flag: &str| help.find(flag).unwrap_or_else(|| panic!("{flag} is missing: {help}"));
            assert!(at("--later") < at("--dir") && at("--dir") < at("--no-progress"), "{help}");
        }
    }
}
