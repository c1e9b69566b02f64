//! `[telemetry]`: where spans are sent, by a program that was built with the feature `otel`.

use std::path::Path;

use toml::de::DeTable;

use super::span::{Findings, Section, Span};
use crate::text::{self, fill};

pub(super) const KEYS: &[&str] = &["otlp"];

/// Whether this program can send spans.
const CAN: bool = cfg!(feature = "otel");

/// Checks `[telemetry]`; its value is read by [`collector`], before anything else is.
pub(super) fn read(table: &DeTable<'_>, span: &Span, findings: &mut Findings) {
    let section = Section { title: "[telemetry]", span, table, keys: KEYS };
    section.close(&[], findings);
    let Some(otlp) = section.text("otlp", findings) else { return };
    let lang = findings.lang;
    if !is_address(&otlp.value) {
        let message = fill!(lang, text::NO_SUCH_CHOICE, key = "otlp", value = otlp.value);
        findings.mistake_with(&otlp.span, message, lang.say(text::OTLP_FORM));
    } else if !CAN {
        findings.warning(&otlp.span, lang.say(text::NO_OTEL), lang.say(text::NO_OTEL_HELP));
    }
}

fn is_address(text: &str) -> bool {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(char::is_whitespace) && !rest.contains('@'))
}

/// The collector that an installation names; what is wrong with its file is told when it is read as a whole.
#[cfg_attr(not(feature = "otel"), expect(dead_code, reason = "only a program with the feature `otel` sends spans"))]
pub(crate) fn collector(dir: &Path) -> Option<String> {
    let text = std::fs::read_to_string(dir.join(super::FILE)).ok()?;
    let table: toml::Table = toml::from_str(&text).ok()?;
    let otlp = table.get("telemetry")?.get("otlp")?.as_str()?;
    is_address(otlp).then(|| otlp.to_owned())
}
