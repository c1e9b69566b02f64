//! The fields of a timetable: what may stand in each, read strictly, and written in the one form that croner is given.

use std::ops::Range;

use milkrun_core::diagnostic::did_you_mean;

/// What is wrong with a timetable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// What is wrong, in one sentence.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
    /// Which bytes of the text it is about; all of it, if no part can be named.
    pub place: Range<usize>,
}

impl Mistake {
    pub(crate) fn new(message: impl Into<String>, place: Range<usize>) -> Self {
        Self { message: message.into(), help: None, place }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl std::fmt::Display for Mistake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)?;
        self.help.iter().try_for_each(|help| write!(f, " ({help})"))
    }
}

impl std::error::Error for Mistake {}

/// Which field it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Second,
    Minute,
    Hour,
    Day,
    Month,
    /// Sunday is 0, or 7 as well.
    Weekday,
    /// As Quartz counts: Sunday is 1, Saturday is 7.
    QuartzWeekday,
    Year,
}

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day of the month",
            Self::Month => "month",
            Self::Weekday | Self::QuartzWeekday => "weekday",
            Self::Year => "year",
        }
    }

    /// The numbers that may be written.
    fn bounds(self) -> (u16, u16) {
        match self {
            Self::Second | Self::Minute => (0, 59),
            Self::Hour => (0, 23),
            Self::Day => (1, 31),
            Self::Month => (1, 12),
            Self::Weekday => (0, 7),
            Self::QuartzWeekday => (1, 7),
            Self::Year => (1970, 2099),
        }
    }

    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Month => &MONTHS,
            Self::Weekday | Self::QuartzWeekday => &WEEKDAYS,
            _ => &[],
        }
    }

    pub(crate) fn is_weekday(self) -> bool {
        matches!(self, Self::Weekday | Self::QuartzWeekday)
    }

    /// What a number or a name stands for; weekdays are counted from Sunday, 0.
    fn value(self, text: &str, place: &Range<usize>) -> Result<u16, Mistake> {
        let (least, most) = self.bounds();
        let upper = text.to_ascii_uppercase();
        if let Some(index) = self.names().iter().position(|name| *name == upper) {
            let index = u16::try_from(index).expect("twelve at most");
            return Ok(if self == Self::Month { index + 1 } else { index });
        }
        let is_number = !text.is_empty() && text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit());
        let number = if is_number { text.parse::<u16>().ok() } else { None };
        match number {
            Some(n) if (least..=most).contains(&n) => Ok(match self {
                Self::Weekday => n % 7,
                Self::QuartzWeekday => n - 1,
                _ => n,
            }),
            Some(_) => {
                let message = format!("`{text}` is no {}: they go from {least} to {most}", self.name());
                Err(Mistake::new(message, place.clone()))
            }
            None => {
                let mistake = Mistake::new(format!("`{text}` is no {}", self.name()), place.clone());
                let is_word = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphabetic());
                let names = self.names();
                Err(if is_word && !names.is_empty() { mistake.help(did_you_mean(text, names)) } else { mistake })
            }
        }
    }
}

/// One item of a field's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// `*` or `?`.
    Any,
    /// From a value to another by a step; the first may be behind the last.
    Span { from: u16, to: u16, step: u16 },
    /// `L`: the last day of the month.
    LastDay,
    /// `LW`: the last day of the month from Monday to Friday.
    LastWorkday,
    /// `15W`: the day from Monday to Friday that is nearest.
    NearestWorkday(u16),
    /// `2#1`: the first Monday of the month.
    Nth { weekday: u16, n: u16 },
    /// `6L`: the last Friday of the month.
    LastOf(u16),
}

/// A field as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) kind: Kind,
    pub(crate) items: Vec<Item>,
}

impl Field {
    /// A field that is not written.
    pub(crate) fn fixed(kind: Kind, item: Item) -> Self {
        Self { kind, items: vec![item] }
    }

    /// Reads `text`, which begins at byte `at` of the timetable.
    pub(crate) fn parse(kind: Kind, text: &str, at: usize) -> Result<Self, Mistake> {
        let mut items = Vec::new();
        let mut start = at;
        for part in text.split(',') {
            let place = start..start + part.len();
            start = place.end + 1;
            items.push(item(kind, part, &place)?);
        }
        let whole = at..at + text.len();
        if items.len() > 1 && items.contains(&Item::Any) {
            return Err(Mistake::new(format!("`{text}` names every {} and others beside it", kind.name()), whole));
        }
        // Croner takes `L` and `LW` as one each for the whole field.
        let lasts = items.iter().filter(|item| matches!(item, Item::LastDay | Item::LastWorkday)).count();
        if lasts > 1 {
            return Err(Mistake::new(format!("`{text}` names the last day of the month twice"), whole));
        }
        Ok(Self { kind, items })
    }

    /// Whether it is `*` or `?`.
    pub(crate) fn is_star(&self) -> bool {
        self.items == [Item::Any]
    }

    /// Whether it names everything there is, however it is written.
    pub(crate) fn is_full(&self) -> bool {
        let (least, most) = self.kind.bounds();
        let n = if self.kind.is_weekday() { 7 } else { most - least + 1 };
        self.values().len() == usize::from(n)
    }

    /// Whether it is written as `*/2`, which crons understand differently beside a weekday.
    pub(crate) fn is_stepped(&self) -> bool {
        self.items.iter().any(|item| matches!(item, Item::Span { step: 2.., .. }))
    }

    /// The plain values, in order; weekdays are counted from Sunday, 0.
    pub(crate) fn values(&self) -> Vec<u16> {
        let (least, most) = self.kind.bounds();
        let (least, most) = if self.kind.is_weekday() { (0, 6) } else { (least, most) };
        let mut all: Vec<u16> = self.items.iter().flat_map(|item| spread(item, least, most)).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The field as croner reads it without its options.
    pub(crate) fn canonical(&self) -> String {
        if self.is_star() {
            return "*".to_owned();
        }
        let special = self.items.iter().filter_map(|item| match item {
            Item::Any | Item::Span { .. } => None,
            Item::LastDay => Some("L".to_owned()),
            Item::LastWorkday => Some("LW".to_owned()),
            Item::NearestWorkday(day) => Some(format!("{day}W")),
            Item::Nth { weekday, n } => Some(format!("{weekday}#{n}")),
            Item::LastOf(weekday) => Some(format!("{weekday}#L")),
        });
        let plain = self.values().into_iter().map(|value| value.to_string());
        plain.chain(special).collect::<Vec<_>>().join(",")
    }
}

fn spread(item: &Item, least: u16, most: u16) -> Vec<u16> {
    match *item {
        Item::Any => (least..=most).collect(),
        Item::Span { from, to, step } if from <= to => (from..=to).step_by(usize::from(step)).collect(),
        // `FRI-MON`, `22-2`.
        Item::Span { from, to, step } => (from..=most).chain(least..=to).step_by(usize::from(step)).collect(),
        _ => Vec::new(),
    }
}

fn item(kind: Kind, text: &str, place: &Range<usize>) -> Result<Item, Mistake> {
    let unreadable = || {
        let mistake = Mistake::new(format!("`{text}` cannot be read as a {}", kind.name()), place.clone());
        mistake.help("write `*`, a number, `1-5`, `*/5`, `0/10`, or several with commas and without blanks")
    };
    let upper = text.to_ascii_uppercase();
    match upper.as_str() {
        "*" => return Ok(Item::Any),
        "?" if kind == Kind::Day || kind.is_weekday() => return Ok(Item::Any),
        "?" => {
            let message = format!("`?` cannot stand for a {}", kind.name());
            return Err(Mistake::new(message, place.clone()).help("write `*`"));
        }
        "L" if kind == Kind::Day => return Ok(Item::LastDay),
        "LW" if kind == Kind::Day => return Ok(Item::LastWorkday),
        // So says Quartz.
        "L" if kind == Kind::QuartzWeekday => return Ok(Item::Span { from: 6, to: 6, step: 1 }),
        _ => {}
    }
    if let Some(day) = upper.strip_suffix('W').filter(|_| kind == Kind::Day) {
        return Ok(Item::NearestWorkday(kind.value(day, place)?));
    }
    if kind.is_weekday() {
        if let Some((weekday, n)) = upper.split_once('#') {
            let weekday = kind.value(weekday, place)?;
            let n = n.parse().ok().filter(|n| (1..=5).contains(n) && upper.len() < 8);
            return Ok(Item::Nth { weekday, n: n.ok_or_else(unreadable)? });
        }
        if let Some(weekday) = upper.strip_suffix('L').filter(|rest| !rest.is_empty()) {
            return Ok(Item::LastOf(kind.value(weekday, place)?));
        }
    }
    let (span, step) = match text.split_once('/') {
        Some((span, step)) => (span, Some(step)),
        None => (text, None),
    };
    let (least, most) = if kind.is_weekday() { (0, 6) } else { kind.bounds() };
    let (from, to) = match (span, span.split_once('-'), step) {
        ("*", ..) => (least, most),
        (_, Some((from, to)), _) => (kind.value(from, place)?, kind.value(to, place)?),
        (one, None, None) => {
            let value = kind.value(one, place)?;
            (value, value)
        }
        // `0/10` is every tenth from 0 on.
        (one, None, Some(_)) => (kind.value(one, place)?, most),
    };
    let Some(step) = step else { return Ok(Item::Span { from, to, step: 1 }) };
    if step.is_empty() || step.len() > 4 || !step.bytes().all(|b| b.is_ascii_digit()) {
        return Err(unreadable());
    }
    let n = step.parse().map_err(|_| unreadable())?;
    if n == 0 || n > most - least {
        let message =
            format!("a step of {n} is not possible for a {}: it has to be 1 to {}", kind.name(), most - least);
        return Err(Mistake::new(message, place.clone()));
    }
    Ok(Item::Span { from, to, step: n })
}
