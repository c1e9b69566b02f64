//! The words of a mapping, and what people write instead of them.

use milkrun_core::FieldKind;
use milkrun_core::diagnostic::{did_you_mean, nearest};

use crate::decimal::Rule;
use crate::time::Input;

/// Keys of `[mapping]`.
pub(crate) const MAPPING: &[&str] = &["fields", "filter", "explode", "keep", "drop", "transform", "checks", "id"];

/// Keys of a rule.
pub(crate) const RULE: &[&str] = &[
    "from",
    "const",
    "each",
    "fields",
    "filter",
    "type",
    "format",
    "zone",
    "input",
    "none",
    "default",
    "required",
    "null",
    "unit",
    "round",
    "scale",
    "write_as",
    "values",
    "otherwise",
    "max_length",
    "cut",
    "trim",
    "upper",
    "lower",
    "prefix",
    "suffix",
    "expr",
];

/// Keys of a condition.
pub(crate) const CONDITION: &[&str] = &[
    "field",
    "is",
    "is_not",
    "one_of",
    "not_one_of",
    "at_least",
    "at_most",
    "more_than",
    "less_than",
    "contains",
    "missing",
    "any",
    "all",
    "expr",
];

/// Keys of a check.
pub(crate) const CHECK: &[&str] = &["kind", "required", "max_chars", "scale", "one_of"];

/// What a field of a document holds.
pub(crate) const KINDS: &[(&str, FieldKind)] = &[
    ("any", FieldKind::Any),
    ("text", FieldKind::Text),
    ("integer", FieldKind::Integer),
    ("decimal", FieldKind::Decimal),
    ("boolean", FieldKind::Boolean),
    ("date", FieldKind::Date),
    ("date-time", FieldKind::DateTime),
    ("list", FieldKind::List),
    ("object", FieldKind::Object),
];

/// Keys of `[mapping.id]`.
pub(crate) const ID: &[&str] = &["field", "missing"];

/// Whether an id is made where there is none.
pub(crate) const MISSING_ID: &[(&str, bool)] = &[("refuse", false), ("fill", true)];

/// Keys of `round`.
pub(crate) const ROUND: &[&str] = &["scale", "rule"];

/// The forms a value can be brought into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Text,
    Integer,
    Decimal,
    Boolean,
    Date,
    DateTime,
    TimestampMs,
    TimestampSecs,
    Json,
}

impl Type {
    pub(crate) fn is_number(self) -> bool {
        matches!(self, Self::Integer | Self::Decimal)
    }

    pub(crate) fn is_timestamp(self) -> bool {
        matches!(self, Self::TimestampMs | Self::TimestampSecs)
    }

    pub(crate) fn is_time(self) -> bool {
        self.is_timestamp() || matches!(self, Self::Date | Self::DateTime)
    }
}

pub(crate) const TYPES: &[(&str, Type)] = &[
    ("text", Type::Text),
    ("integer", Type::Integer),
    ("decimal", Type::Decimal),
    ("boolean", Type::Boolean),
    ("date", Type::Date),
    ("datetime", Type::DateTime),
    ("timestamp-ms", Type::TimestampMs),
    ("timestamp-s", Type::TimestampSecs),
    ("json", Type::Json),
];

/// A change of unit, as powers of ten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    FenToYuan,
    YuanToFen,
    GramToKilo,
    KiloToGram,
    AsIs,
}

impl Unit {
    pub(crate) fn shift(self) -> i32 {
        match self {
            Self::FenToYuan => -2,
            Self::YuanToFen => 2,
            Self::GramToKilo => -3,
            Self::KiloToGram => 3,
            Self::AsIs => 0,
        }
    }
}

pub(crate) const UNITS: &[(&str, Unit)] = &[
    ("fen-to-yuan", Unit::FenToYuan),
    ("yuan-to-fen", Unit::YuanToFen),
    ("g-to-kg", Unit::GramToKilo),
    ("kg-to-g", Unit::KiloToGram),
    ("as-is", Unit::AsIs),
];

pub(crate) const ROUNDING: &[(&str, Rule)] =
    &[("half-up", Rule::HalfUp), ("half-even", Rule::HalfEven), ("down", Rule::Down), ("up", Rule::Up)];

pub(crate) const INPUTS: &[(&str, Input)] =
    &[("auto", Input::Auto), ("epoch-ms", Input::EpochMs), ("epoch-s", Input::EpochSecs), ("text", Input::Text)];

/// Whether null is written.
pub(crate) const NULLS: &[(&str, bool)] = &[("keep", true), ("omit", false)];

/// Whether a number is written as a text.
pub(crate) const WRITE_AS: &[(&str, bool)] = &[("number", false), ("text", true)];

/// What people write, and the word that is meant; used where the spelling alone does not tell.
const MEANT: &[(&str, &str)] = &[
    ("string", "text"),
    ("str", "text"),
    ("varchar", "text"),
    ("int", "integer"),
    ("long", "integer"),
    ("number", "decimal"),
    ("float", "decimal"),
    ("double", "decimal"),
    ("money", "decimal"),
    ("bool", "boolean"),
    ("time", "datetime"),
    ("date-time", "datetime"),
    ("date_time", "datetime"),
    ("timestamp", "timestamp-ms"),
    ("epoch-ms", "timestamp-ms"),
    ("epoch-s", "timestamp-s"),
    ("object", "json"),
    ("array", "json"),
    ("raw", "json"),
    ("source", "from"),
    ("path", "from"),
    ("src", "from"),
    ("column", "from"),
    ("value", "const"),
    ("constant", "const"),
    ("fixed", "const"),
    ("map", "values"),
    ("mapping", "values"),
    ("lookup", "values"),
    ("enum", "values"),
    ("else", "otherwise"),
    ("fallback", "default"),
    ("mandatory", "required"),
    ("optional", "required"),
    ("precision", "scale"),
    ("decimals", "scale"),
    ("type", "kind"),
    ("datetime", "date-time"),
    ("max_length", "max_chars"),
    ("enum", "one_of"),
    ("length", "max_length"),
    ("max", "max_length"),
    ("maxlen", "max_length"),
    ("truncate", "cut"),
    ("timezone", "zone"),
    ("tz", "zone"),
    ("output", "write_as"),
    ("strip", "trim"),
    ("nulls", "null"),
    ("children", "fields"),
    ("items", "each"),
    ("foreach", "each"),
    ("where", "filter"),
    ("condition", "filter"),
    ("expression", "expr"),
    ("formula", "expr"),
    ("jq", "expr"),
    ("script", "transform"),
    ("flatten", "explode"),
    ("unnest", "explode"),
    ("exclude", "drop"),
    ("omit", "drop"),
    ("fen", "fen-to-yuan"),
    ("cents", "fen-to-yuan"),
    ("yuan", "yuan-to-fen"),
    ("bankers", "half-even"),
    ("banker", "half-even"),
    ("round", "half-up"),
    ("nearest", "half-up"),
    ("truncate", "down"),
    ("floor", "down"),
    ("ceil", "up"),
    ("ceiling", "up"),
    ("millis", "epoch-ms"),
    ("ms", "epoch-ms"),
    ("seconds", "epoch-s"),
    ("secs", "epoch-s"),
    ("in", "one_of"),
    ("not_in", "not_one_of"),
    ("equals", "is"),
    ("eq", "is"),
    ("neq", "is_not"),
    ("ne", "is_not"),
    ("gte", "at_least"),
    ("egt", "at_least"),
    ("min", "at_least"),
    ("lte", "at_most"),
    ("elt", "at_most"),
    ("gt", "more_than"),
    ("lt", "less_than"),
    ("like", "contains"),
    ("exists", "missing"),
    ("or", "any"),
    ("and", "all"),
];

/// The word that is meant by `wrong`, by its sense or by its spelling.
pub(crate) fn meant<'a>(wrong: &str, known: &[&'a str]) -> Option<&'a str> {
    let lower = wrong.to_lowercase();
    let by_sense =
        MEANT.iter().filter(|(said, _)| *said == lower).find_map(|(_, word)| known.iter().find(|k| *k == word));
    by_sense.copied().or_else(|| nearest(wrong, known))
}

/// What to write instead of `wrong`.
pub(crate) fn instead_of(wrong: &str, known: &[&str]) -> String {
    match meant(wrong, known) {
        Some(word) => format!("did you mean `{word}`?"),
        None => did_you_mean(wrong, known),
    }
}

/// What a rule key needs to have an effect.
pub(crate) fn needs(key: &str) -> &'static str {
    match key {
        "format" | "zone" => "it belongs to `type = \"date\"` or `\"datetime\"`",
        "input" => "it belongs to the types that are times: date, datetime, timestamp-ms, timestamp-s",
        "unit" | "round" => "it belongs to `type = \"decimal\"` or `\"integer\"`",
        "scale" => "it belongs to `type = \"decimal\"`",
        "write_as" => "it belongs to the types that are numbers: decimal, integer, timestamp-ms, timestamp-s",
        "otherwise" => "it belongs to `values`",
        "cut" => "it belongs to `max_length`",
        "max_length" | "upper" | "lower" | "prefix" | "suffix" => {
            "it belongs to a text: `type = \"text\"`, or a number with `write_as = \"text\"`"
        }
        "filter" => "it belongs to `each`, where it chooses the elements, or to `[mapping]`",
        "from" | "expr" => "the fields of an object have rules of their own",
        "default" | "required" | "null" => "an object made by `fields` is always written",
        _ => "it belongs to a rule that takes a value `from` the record",
    }
}
