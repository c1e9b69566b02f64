//! Dates: read as vendors write them, written in a named zone. Null stays null.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, fmt::strtime};

use super::{Answer, Wrong, wrong};
use crate::expr::kind::Env;
use crate::expr::meter;
use crate::expr::number::Num;
use crate::expr::value::Val;
use crate::time::{self, Input, Moment, NoTime, Output};

/// The most days or months that may be added.
const MOST: i64 = 1_000_000;

/// Why it is not the form of a time, if it is none.
pub(crate) fn check_format(format: &str) -> Option<String> {
    time::check_format(format)
}

/// Whether it is a zone.
pub(crate) fn check_zone(name: &str) -> bool {
    time::zone(name).is_some()
}

fn not_a_date(value: &Val, reason: &str) -> Wrong {
    Wrong(value.clone(), reason.to_owned())
}

/// Digits are milliseconds since 1970, everything else a date text.
fn read(value: &Val, zone: &TimeZone) -> Result<Moment, Wrong> {
    let text = match value {
        Val::Str(_) | Val::Num(_) => value.plain().expect("texts and numbers are plain"),
        other => return Err(wrong(other, "a date")),
    };
    meter::pay(4);
    time::read(&text, Input::Auto, zone).map_err(|why| {
        let reason = match why {
            NoTime::NotADate => "is not a date",
            NoTime::MaybeSeconds => {
                "is too small for milliseconds since 1970; put from_epoch_s before it if it is seconds"
            }
        };
        not_a_date(value, reason)
    })
}

fn zone(name: &Val) -> Result<TimeZone, Wrong> {
    let text = name.as_str().ok_or_else(|| wrong(name, "the name of a time zone"))?;
    time::zone(text).ok_or_else(|| Wrong(name.clone(), "is not a time zone".to_owned()))
}

fn write(value: &Val, output: &Output, from: &TimeZone, to: &TimeZone) -> Answer {
    if matches!(value, Val::Null) {
        return Ok(Val::Null);
    }
    let moment = read(value, from)?;
    let mut out = String::new();
    let written = time::write(moment, output, from, to, &mut out);
    written.ok_or_else(|| not_a_date(value, "is outside the years 1 to 9999"))?;
    Ok(match output {
        Output::Millis | Output::Secs => Val::Num(Num::of_json(&out)),
        // The writer escapes for JSON, and only a form of the user's own can need that.
        Output::Format { .. } => crate::expr::write::read(&format!("\"{out}\"")),
        _ => Val::text(&out),
    })
}

pub(super) fn date(env: &Env, value: &Val, []: &[Val; 0]) -> Answer {
    write(value, &Output::Date, &env.zone, &env.zone)
}

pub(super) fn date_in(env: &Env, value: &Val, [to]: &[Val; 1]) -> Answer {
    write(value, &Output::Date, &env.zone, &zone(to)?)
}

pub(super) fn datetime(env: &Env, value: &Val, []: &[Val; 0]) -> Answer {
    write(value, &Output::DateTime, &env.zone, &env.zone)
}

pub(super) fn datetime_in(env: &Env, value: &Val, [to]: &[Val; 1]) -> Answer {
    write(value, &Output::DateTime, &env.zone, &zone(to)?)
}

pub(super) fn epoch_ms(env: &Env, value: &Val, []: &[Val; 0]) -> Answer {
    write(value, &Output::Millis, &env.zone, &env.zone)
}

pub(super) fn epoch_s(env: &Env, value: &Val, []: &[Val; 0]) -> Answer {
    write(value, &Output::Secs, &env.zone, &env.zone)
}

pub(super) fn format(env: &Env, value: &Val, [form]: &[Val; 1]) -> Answer {
    write(value, &output(form)?, &env.zone, &env.zone)
}

pub(super) fn format_in(env: &Env, value: &Val, [form, to]: &[Val; 2]) -> Answer {
    write(value, &output(form)?, &env.zone, &zone(to)?)
}

fn output(form: &Val) -> Result<Output, Wrong> {
    let format = form.as_str().ok_or_else(|| wrong(form, "the form of a date"))?;
    meter::pay(format.len());
    if let Some(reason) = check_format(format) {
        return Err(Wrong(form.clone(), format!("is not the form of a date: {reason}")));
    }
    Ok(Output::Format { format: format.to_owned(), day: true })
}

/// Milliseconds of a text of that form.
pub(super) fn parse(env: &Env, value: &Val, [form]: &[Val; 1]) -> Answer {
    parse_with(value, form, &env.zone)
}

pub(super) fn parse_in(_: &Env, value: &Val, [form, from]: &[Val; 2]) -> Answer {
    parse_with(value, form, &zone(from)?)
}

fn parse_with(value: &Val, form: &Val, zone: &TimeZone) -> Answer {
    if matches!(value, Val::Null) {
        return Ok(Val::Null);
    }
    let text = value.plain().ok_or_else(|| wrong(value, "a date"))?;
    let format = form.as_str().ok_or_else(|| wrong(form, "the form of a date"))?;
    meter::pay(format.len() + text.len());
    let unlike = || Wrong(value.clone(), format!("is not a date of the form {form}"));
    let parsed = strtime::parse(format, &*text).map_err(|_| unlike())?;
    let civil = || parsed.to_datetime().or_else(|_| parsed.to_date().map(|day| day.at(0, 0, 0, 0))).ok();
    // A text with an offset says the instant itself.
    let at = parsed.to_timestamp().ok().or_else(|| instant(civil()?, zone));
    Ok(Val::Num(Num::Int(at.ok_or_else(unlike)?.as_millisecond())))
}

fn instant(civil: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    zone.to_ambiguous_timestamp(civil).compatible().ok()
}

/// Milliseconds of a date text whose zone is not the stream's.
pub(super) fn from_zone(_: &Env, value: &Val, [from]: &[Val; 1]) -> Answer {
    let from = zone(from)?;
    write(value, &Output::Millis, &from, &from)
}

/// Milliseconds of seconds.
pub(super) fn from_epoch_s(_: &Env, value: &Val, []: &[Val; 0]) -> Answer {
    if matches!(value, Val::Null) {
        return Ok(Val::Null);
    }
    let text = value.plain().ok_or_else(|| wrong(value, "a number of seconds"))?;
    let moment = time::read(&text, Input::EpochSecs, &TimeZone::UTC);
    match moment {
        Ok(Moment::At(at)) => Ok(Val::Num(Num::Int(at.as_millisecond()))),
        _ => Err(not_a_date(value, "is not a number of seconds")),
    }
}

pub(super) fn add_days(env: &Env, value: &Val, [days]: &[Val; 1]) -> Answer {
    let days = count(days, "days")?;
    shifted(env, value, Span::new().days(days))
}

pub(super) fn add_months(env: &Env, value: &Val, [months]: &[Val; 1]) -> Answer {
    let months = count(months, "months")?;
    shifted(env, value, Span::new().try_months(months).unwrap_or_default())
}

fn count(value: &Val, what: &str) -> Result<i64, Wrong> {
    let most = if what == "months" { MOST / 100 } else { MOST };
    let count = value.as_index().filter(|n| n.abs() <= most);
    count.ok_or_else(|| Wrong(value.clone(), format!("is not a number of {what} from -{most} to {most}")))
}

/// The date some days later, in the form it came in: a day, milliseconds, or a date and time in the stream's zone.
fn shifted(env: &Env, value: &Val, by: Span) -> Answer {
    if matches!(value, Val::Null) {
        return Ok(Val::Null);
    }
    let outside = || not_a_date(value, "would leave the years 1 to 9999");
    let text = |moment: Moment, output: &Output| {
        let mut out = String::new();
        time::write(moment, output, &env.zone, &env.zone, &mut out).ok_or_else(outside)?;
        Ok(out)
    };
    match read(value, &env.zone)? {
        Moment::Day(day) => {
            let day: Date = day.checked_add(by).map_err(|_| outside())?;
            text(Moment::Day(day), &Output::Date).map(|out| Val::text(&out))
        }
        Moment::At(at) => {
            let later = env.zone.to_datetime(at).checked_add(by).map_err(|_| outside())?;
            let at = instant(later, &env.zone).ok_or_else(outside)?;
            match value {
                Val::Num(_) => Ok(Val::Num(Num::Int(at.as_millisecond()))),
                _ => text(Moment::At(at), &Output::DateTime).map(|out| Val::text(&out)),
            }
        }
    }
}
