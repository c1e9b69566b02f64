//! What a channel is told, in its language: one notice in full, or several as a digest.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::finding::tell_instant;
use crate::incident::{Incident, Notice};
use crate::texts;
use crate::words::{Hole, Lang, Phrase};

/// The longest reason that is shown, in characters.
const LONGEST: usize = 600;

/// How a text marks what is important.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// Not at all.
    Plain,
    /// As Markdown, as far as all robots know it: bold text and lists.
    Markdown,
}

/// A message, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) title: String,
    pub(crate) body: String,
    /// Whether it only says good things.
    pub(crate) is_good: bool,
}

/// How messages of a channel are written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Writer<'a> {
    pub(crate) lang: Lang,
    pub(crate) zone: &'a TimeZone,
    pub(crate) zone_name: &'a str,
    pub(crate) style: Style,
    /// The most bytes of title and body together.
    pub(crate) limit: usize,
    pub(crate) now: Timestamp,
}

impl Writer<'_> {
    /// The message that tells these notices, oldest first; there is at least one.
    pub(crate) fn write(self, notices: &[(Notice, &Incident)]) -> Message {
        let is_good = notices.iter().all(|(notice, _)| matches!(notice, Notice::Ended | Notice::Passed));
        if let [(notice, incident)] = notices {
            let title = self.head(*notice, incident);
            let room = self.limit.saturating_sub(title.len());
            let body = cut(&self.in_full(incident), room).to_owned();
            return Message { title, body, is_good };
        }
        let title = texts::DIGEST.tell(self.lang, &[("n", Hole::Count(notices.len() as u64))]);
        let full = |(notice, incident): &(Notice, &Incident)| {
            format!("{}\n\n{}", self.bold(&self.head(*notice, incident)), self.in_full(incident))
        };
        let parts: Vec<String> = notices.iter().map(full).collect();
        let body = parts.join("\n\n");
        if title.len() + body.len() <= self.limit {
            return Message { title, body, is_good };
        }
        Message { body: self.in_short(notices, self.limit.saturating_sub(title.len())), title, is_good }
    }

    /// A message that shows that the channel works.
    pub(crate) fn test(self) -> Message {
        let say = |phrase: Phrase| phrase.get(self.lang).to_owned();
        let at = format!("{} ({})", tell_instant(self.now, self.zone), self.zone_name);
        let body = format!("{}\n\n{at}", say(texts::TEST_WHAT));
        Message { title: say(texts::TEST), body, is_good: true }
    }

    /// `Alert: Flow orders: the last run failed`.
    fn head(self, notice: Notice, incident: &Incident) -> String {
        let word = match notice {
            Notice::Began => texts::BEGAN,
            Notice::Reminder => texts::REMINDER,
            Notice::Passed => texts::PASSED,
            Notice::Ended => texts::ENDED,
        };
        let what = plain(incident.what.get(self.lang));
        format!("{}{}{what}", word.get(self.lang), texts::COLON.get(self.lang))
    }

    /// Since when, how many documents, and what to do.
    fn in_full(self, incident: &Incident) -> String {
        let mut lines = vec![self.line(texts::SINCE, &self.since(incident))];
        if let Some(until) = incident.until {
            let (at, length) = (tell_instant(until, self.zone), Hole::Length(span(incident.since, until)));
            let told = texts::LASTED_UNTIL.tell(self.lang, &[("until", Hole::Text(&at)), ("length", length)]);
            lines.push(self.line(texts::UNTIL, &told));
        }
        if let Some(n) = incident.documents {
            lines.push(self.line(texts::DOCUMENTS, &n.to_string()));
        }
        if incident.is_open() {
            lines.push(self.line(texts::TO_DO, &plain(incident.advice.get(self.lang))));
        }
        lines.join("\n")
    }

    /// One line for each notice, as many as fit.
    fn in_short(self, notices: &[(Notice, &Incident)], room: usize) -> String {
        let more = |n: usize| texts::MORE.tell(self.lang, &[("n", Hole::Count(n as u64))]);
        // The last line may be needed.
        let room = room.saturating_sub(more(notices.len()).len() + 3);
        let mut lines: Vec<String> = Vec::new();
        let mut n_bytes = 0;
        for (notice, incident) in notices {
            let since = tell_instant(incident.since, self.zone);
            let head = self.head(*notice, incident);
            let documents = incident.documents.map_or_else(String::new, |n| {
                format!(", {}{}{n}", texts::DOCUMENTS.get(self.lang), texts::COLON.get(self.lang))
            });
            let line = format!("- {} ({since}{documents})", cut(&head, 300));
            if n_bytes + line.len() + 1 > room {
                break;
            }
            n_bytes += line.len() + 1;
            lines.push(line);
        }
        let left = notices.len() - lines.len();
        if left > 0 {
            lines.push(format!("- {}", more(left)));
        }
        lines.join("\n")
    }

    fn since(self, incident: &Incident) -> String {
        let at = format!("{} {}", tell_instant(incident.since, self.zone), self.zone_name);
        let length = span(incident.since, self.now);
        if !incident.is_open() || length < Duration::from_mins(1) {
            return at;
        }
        texts::LASTED.tell(self.lang, &[("from", Hole::Text(&at)), ("length", Hole::Length(length))])
    }

    fn line(self, name: Phrase, value: &str) -> String {
        let name = format!("{}{}", name.get(self.lang), texts::COLON.get(self.lang).trim_end());
        match self.style {
            Style::Plain => format!("{name} {value}"),
            Style::Markdown => format!("- {} {value}", self.bold(&name)),
        }
    }

    fn bold(self, text: &str) -> String {
        match self.style {
            Style::Plain => text.to_owned(),
            Style::Markdown => format!("**{text}**"),
        }
    }
}

fn span(from: Timestamp, until: Timestamp) -> Duration {
    Duration::try_from(until.duration_since(from)).unwrap_or_default()
}

/// A text without what robots would read as marks, mentions or links: a reason may be a vendor's own words.
fn plain(text: &str) -> String {
    let text = text.replace("](", "] (");
    let harmless = text.chars().map(|c| match c {
        '<' => '‹',
        '>' => '›',
        '*' => '＊',
        c if c.is_control() => ' ',
        c => c,
    });
    harmless.take(LONGEST).collect()
}

/// As much of a text as has at most `limit` bytes.
fn cut(text: &str, limit: usize) -> &str {
    let mut end = text.len().min(limit);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
