//! A timetable in words, in English and in Chinese.

use milkrun_core::stream::Title;

use super::field::{Field, Item};
use super::table::{DEFAULT_ZONE, Fields, Timetable};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [(&str, &str); 7] = [
    ("Sunday", "周日"),
    ("Monday", "周一"),
    ("Tuesday", "周二"),
    ("Wednesday", "周三"),
    ("Thursday", "周四"),
    ("Friday", "周五"),
    ("Saturday", "周六"),
];
const ORDINALS: [(&str, &str); 5] =
    [("first", "第一个"), ("second", "第二个"), ("third", "第三个"), ("fourth", "第四个"), ("fifth", "第五个")];
/// So many times of day are named one by one.
const MOST_TIMES: usize = 6;

impl Timetable {
    /// What it means: "at 02:00, Monday to Friday", "周一至周五 02:00". A zone other than Beijing's is named.
    pub fn words(&self) -> Title {
        let fields = self.fields();
        let zone = Some(self.zone_name()).filter(|zone| *zone != DEFAULT_ZONE);
        let (time_en, time_zh) = time(fields);
        let is_at_times = time_en.starts_with("at ");
        let day = day(fields);
        let months = Some(fields.month()).filter(|month| !month.is_full());
        let years = Some(fields.year()).filter(|year| !year.is_star());

        let mut en = vec![time_en];
        match &day {
            Some((en_day, _)) => en.push(en_day.clone()),
            None if is_at_times => en[0].insert_str(0, "every day "),
            None => {}
        }
        en.extend(months.map(|months| format!("in {}", list_en(months, |n| MONTHS[usize::from(n) - 1].to_owned()))));
        en.extend(years.map(|years| format!("in {}", list_en(years, |n| n.to_string()))));
        let mut en = en.join(", ");

        let mut zh = Vec::new();
        zh.extend(years.map(|years| format!("{} 年", list_zh(years, |n| n.to_string()))));
        zh.extend(months.map(|months| format!("{} 月", list_zh(months, |n| n.to_string()))));
        match day {
            Some((_, day)) => zh.push(day),
            None if is_at_times => zh.push("每天".to_owned()),
            None => {}
        }
        let days = zh.join("，");
        let mut zh = if days.is_empty() { time_zh } else { format!("{days} {time_zh}") };
        if let Some(zone) = zone {
            en = format!("{en} ({zone})");
            zh = format!("{zh}（{zone}）");
        }
        Title::new(en, zh)
    }
}

/// The step of a field that goes evenly from its start to its end: 5 for `*/5`.
fn step(field: &Field, least: u16, n: u16) -> Option<u16> {
    let values = field.values();
    let step = values.get(1)? - values[0];
    let is_even = values.windows(2).all(|two| two[1] - two[0] == step);
    (step > 1 && values[0] == least && is_even && values[values.len() - 1] + step >= least + n).then_some(step)
}

fn one(field: &Field) -> Option<u16> {
    <[u16; 1]>::try_from(field.values()).ok().map(|[value]| value)
}

fn time(fields: &Fields) -> (String, String) {
    let (second, minute, hour) = (fields.second(), fields.minute(), fields.hour());
    if let (Some(s), Some(m)) = (one(second), one(minute)) {
        let hours = hour.values();
        if hours.len() <= MOST_TIMES {
            let times: Vec<String> = hours.iter().map(|h| clock(*h, m, s)).collect();
            return (format!("at {}", and(&times)), times.join("、"));
        }
        let at = if s == 0 { (format!("minute {m}"), format!("第 {m} 分")) } else { at_second(m, s) };
        if hour.is_full() {
            return (format!("every hour at {}", at.0), format!("每小时{}", at.1));
        }
        if let Some(step) = step(hour, 0, 24) {
            return (format!("every {step} hours at {}", at.0), format!("每 {step} 小时{}", at.1));
        }
    }
    // The pace within an hour, then the hours.
    let pace = if second.is_full() && minute.is_full() {
        ("every second".to_owned(), "每秒".to_owned())
    } else if one(second) == Some(0) && minute.is_full() {
        ("every minute".to_owned(), "每分钟".to_owned())
    } else if let (Some(step), true) = (step(second, 0, 60), minute.is_full()) {
        (format!("every {step} seconds"), format!("每 {step} 秒"))
    } else if let (Some(0), Some(step)) = (one(second), step(minute, 0, 60)) {
        (format!("every {step} minutes"), format!("每 {step} 分钟"))
    } else {
        within_hour(second, minute)
    };
    if hour.is_full() {
        return pace;
    }
    if let Some(step) = step(hour, 0, 24) {
        return (format!("{} of every {} hour", pace.0, nth(step)), format!("每 {step} 小时内{}", pace.1));
    }
    let hours = (list_en(hour, |n| format!("{n:02}")), list_zh(hour, |n| n.to_string()));
    (format!("{} in the hours {}", pace.0, hours.0), format!("{} 时{}", hours.1, pace.1))
}

fn within_hour(second: &Field, minute: &Field) -> (String, String) {
    let number = |n: u16| n.to_string();
    let (mut en, mut zh) = if minute.is_full() {
        ("every minute".to_owned(), "每分钟".to_owned())
    } else if let Some(step) = step(minute, 0, 60) {
        (format!("every {step} minutes"), format!("每 {step} 分钟"))
    } else {
        (
            format!("every hour at minute {}", list_en(minute, number)),
            format!("每小时第 {} 分", list_zh(minute, number)),
        )
    };
    if second.is_full() {
        en += ", every second";
        zh += "每秒";
    } else if one(second) != Some(0) {
        en = format!("{en}, at second {}", list_en(second, number));
        zh = format!("{zh}第 {} 秒", list_zh(second, number));
    }
    (en, zh)
}

fn at_second(minute: u16, second: u16) -> (String, String) {
    (format!("minute {minute} and second {second}"), format!("第 {minute} 分 {second} 秒"))
}

fn clock(hour: u16, minute: u16, second: u16) -> String {
    if second == 0 { format!("{hour:02}:{minute:02}") } else { format!("{hour:02}:{minute:02}:{second:02}") }
}

fn day(fields: &Fields) -> Option<(String, String)> {
    let day = (!fields.day().is_star()).then(|| days_of_month(fields));
    let weekday = (!fields.weekday().is_star()).then(|| weekdays(fields.weekday()));
    match (day, weekday) {
        (None, None) => None,
        (Some(one), None) | (None, Some(one)) => Some(one),
        (Some(day), Some(weekday)) => {
            Some((format!("{} or {}", day.0, weekday.0), format!("{}或{}", day.1, weekday.1)))
        }
    }
}

fn days_of_month(fields: &Fields) -> (String, String) {
    // "每月" beside named months would say too much.
    let each = if fields.month().is_full() { "每月 " } else { "" };
    let (mut en, mut zh) = (Vec::new(), Vec::new());
    if !fields.day().values().is_empty() {
        en.push(format!("on day {} of the month", list_en(fields.day(), |n| n.to_string())));
        zh.push(format!("{each}{} 日", list_zh(fields.day(), |n| n.to_string())));
    }
    for item in &fields.day().items {
        let each = each.trim_end();
        match item {
            Item::LastDay => {
                en.push("on the last day of the month".to_owned());
                zh.push(format!("{each}最后一天"));
            }
            Item::LastWorkday => {
                en.push("on the last of the month from Monday to Friday".to_owned());
                zh.push(format!("{each}最后一个周一至周五"));
            }
            Item::NearestWorkday(day) => {
                en.push(format!("on the day from Monday to Friday nearest to day {day} of the month"));
                zh.push(format!("{each}最接近 {day} 日的周一至周五"));
            }
            _ => {}
        }
    }
    (and(&en), zh.join("、"))
}

fn weekdays(field: &Field) -> (String, String) {
    let (mut en, mut zh) = (Vec::new(), Vec::new());
    if !field.values().is_empty() {
        en.push(list_en(field, |n| WEEKDAYS[usize::from(n)].0.to_owned()));
        zh.push(list_zh(field, |n| WEEKDAYS[usize::from(n)].1.to_owned()));
    }
    for item in &field.items {
        match item {
            Item::Nth { weekday, n } => {
                let (weekday, n) = (WEEKDAYS[usize::from(*weekday)], ORDINALS[usize::from(*n) - 1]);
                en.push(format!("on the {} {} of the month", n.0, weekday.0));
                zh.push(format!("每月{}{}", n.1, weekday.1));
            }
            Item::LastOf(weekday) => {
                let weekday = WEEKDAYS[usize::from(*weekday)];
                en.push(format!("on the last {} of the month", weekday.0));
                zh.push(format!("每月最后一个{}", weekday.1));
            }
            _ => {}
        }
    }
    (and(&en), zh.join("、"))
}

/// The values of a field, three and more in a row as a span. The week begins with Monday.
fn runs(field: &Field) -> Vec<(u16, u16)> {
    let mut values = field.values();
    if field.kind.is_weekday() {
        values.iter_mut().filter(|value| **value == 0).for_each(|value| *value = 7);
        values.sort_unstable();
    }
    let mut runs: Vec<(u16, u16)> = Vec::new();
    for value in values {
        match runs.last_mut() {
            Some((_, to)) if *to + 1 == value => *to = value,
            _ => runs.push((value, value)),
        }
    }
    runs
}

fn list(field: &Field, name: impl Fn(u16) -> String, to: &str) -> Vec<String> {
    let name = |n: u16| name(if field.kind.is_weekday() { n % 7 } else { n });
    let mut all = Vec::new();
    for (from, until) in runs(field) {
        match until - from {
            0 => all.push(name(from)),
            1 => all.extend([name(from), name(until)]),
            _ => all.push(format!("{}{to}{}", name(from), name(until))),
        }
    }
    all
}

fn list_en(field: &Field, name: impl Fn(u16) -> String) -> String {
    and(&list(field, name, " to "))
}

fn list_zh(field: &Field, name: impl Fn(u16) -> String) -> String {
    list(field, name, "至").join("、")
}

fn and(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

fn nth(n: u16) -> String {
    match n {
        2 => "second".to_owned(),
        3 => "third".to_owned(),
        n => format!("{n}th"),
    }
}
