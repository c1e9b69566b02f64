//! Progress: one bar for each flow on a terminal, one line now and then elsewhere.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use milkrun_core::Context;
use milkrun_core::quota::{HeldBy, HeldUp};
use milkrun_engine::{Calls, Counts, Observer};

use super::{Out, beijing, number};
use crate::text::{self, Lang, fill};

/// How often a bar is brought up to date.
const TICK: Duration = Duration::from_millis(250);
/// How often a line is written where there is no terminal.
const LINE: Duration = Duration::from_secs(5);

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Bars,
    Lines,
    Nothing,
}

/// The progress of one flow.
#[derive(Debug)]
pub(crate) struct FlowProgress {
    name: String,
    cx: Context,
    started: Instant,
    counts: Mutex<(Counts, Calls)>,
    bar: Option<ProgressBar>,
}

/// The progress of all flows of this process.
#[derive(Debug)]
pub(crate) struct Progress {
    out: Out,
    mode: Mode,
    flows: Vec<FlowProgress>,
}

impl Observer for FlowProgress {
    fn progress(&self, now: &milkrun_engine::Progress<'_>) {
        let mut known = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        now.counts().clone_into(&mut known.0);
        now.calls().clone_into(&mut known.1);
    }
}

impl Progress {
    /// Progress for flows, each with the source account that it calls.
    pub(crate) fn new(out: &Out, mode: Mode, flows: impl IntoIterator<Item = (String, Context)>) -> Self {
        let flows: Vec<(String, Context)> = flows.into_iter().collect();
        let width = flows.iter().map(|(name, _)| console::measure_text_width(name)).max().unwrap_or(0);
        out.bars.set_draw_target(match mode {
            Mode::Bars => ProgressDrawTarget::stderr_with_hz(10),
            Mode::Lines | Mode::Nothing => ProgressDrawTarget::hidden(),
        });
        let style = ProgressStyle::with_template("{prefix:.bold} [{bar:24.cyan/dim}] {msg}").expect("it is a constant");
        let flow = |(name, cx): (String, Context)| {
            let bar = (mode == Mode::Bars).then(|| {
                let bar = out.bars.add(ProgressBar::new(1000));
                bar.set_style(style.clone().progress_chars("=> "));
                let pad = " ".repeat(width - console::measure_text_width(&name));
                bar.set_prefix(format!("{name}{pad}"));
                bar
            });
            FlowProgress { name, cx, started: Instant::now(), counts: Mutex::default(), bar }
        };
        Self { out: out.clone(), mode, flows: flows.into_iter().map(flow).collect() }
    }

    /// The observer of the flow at `index`.
    pub(crate) fn of(&self, index: usize) -> &FlowProgress {
        &self.flows[index]
    }

    /// Shows the progress until it is dropped.
    pub(crate) async fn watch(&self) {
        let every = match self.mode {
            Mode::Bars => TICK,
            Mode::Lines => LINE,
            Mode::Nothing => return std::future::pending().await,
        };
        let mut shown = vec![(Counts::default(), None); self.flows.len()];
        loop {
            if self.mode == Mode::Lines {
                tokio::time::sleep(every).await;
            }
            for (flow, shown) in self.flows.iter().zip(&mut shown) {
                let (counts, calls) = flow.counts.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let held_up = calls.held_up().map(|held| tell_held_up(&held, self.out.lang));
                let left = flow.calls_left(&self.out).await;
                let message = flow.message(&self.out, &counts, left.as_deref(), held_up.as_deref());
                match &flow.bar {
                    Some(bar) => {
                        bar.set_position(FlowProgress::fraction(&counts));
                        bar.set_message(message);
                    }
                    None if (&counts, &held_up) != (&shown.0, &shown.1) => {
                        self.out.note(self.out.lang.labelled(&flow.name, message));
                    }
                    None => {}
                }
                *shown = (counts, held_up);
            }
            if self.mode == Mode::Bars {
                tokio::time::sleep(every).await;
            }
        }
    }

    /// Takes the bar of a flow that has ended away.
    pub(crate) fn end(&self, index: usize) {
        if let Some(bar) = &self.flows[index].bar {
            bar.finish_and_clear();
        }
    }
}

/// What calls wait for, and until when.
pub(crate) fn tell_held_up(held: &HeldUp, lang: Lang) -> String {
    let account = &held.account;
    let until = held.until.map(beijing).unwrap_or_default();
    let limit = match &held.by {
        HeldBy::Vendor => return fill!(lang, text::HELD_BY_VENDOR, account = account, until = until),
        HeldBy::Renewal => return fill!(lang, text::HELD_BY_RENEWAL, account = account),
        HeldBy::Limit(limit) => limit,
    };
    let rate = match limit.rate {
        Some(rate) => format!("{}/{}", rate.calls, crate::config::write_duration(rate.per)),
        None => lang.say(text::CALLS_UNDER_WAY).to_owned(),
    };
    match (&limit.endpoint, limit.is_share) {
        (None, false) => fill!(lang, text::HELD_BY_LIMIT, account = account, rate = rate, until = until),
        (None, true) => fill!(lang, text::HELD_BY_SHARE, account = account, rate = rate, until = until),
        (Some(endpoint), is_share) => {
            let said = if is_share { text::HELD_BY_ENDPOINT_SHARE } else { text::HELD_BY_ENDPOINT };
            fill!(lang, said, account = account, endpoint = endpoint, rate = rate, until = until)
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        // Lines that were written meanwhile stay; the bars go.
        let _: io::Result<()> = self.out.bars.clear();
    }
}

impl FlowProgress {
    /// The way done, of 1000: by slices, or by rows while there is only one slice.
    fn fraction(counts: &Counts) -> u64 {
        let (done, all) = match counts.proved_slices + counts.open_slices {
            0 | 1 => (counts.records, counts.expected.max(counts.records)),
            slices => (counts.proved_slices, slices),
        };
        (done * 1000).checked_div(all).unwrap_or(0)
    }

    /// `823 records, 411/s, 3 of 15 calls left per 1s, about 12s to go`.
    fn message(&self, out: &Out, counts: &Counts, left: Option<&str>, held_up: Option<&str>) -> String {
        let ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
        let rate = number(counts.records.saturating_mul(1000) / ms);
        let mut parts = vec![fill!(out.lang, text::PROGRESS_RECORDS, n = number(counts.records), rate = rate)];
        parts.extend(left.map(str::to_owned));
        parts.extend(held_up.map(|what| fill!(out.lang, text::PROGRESS_WAITS, what = what)));
        let done = Self::fraction(counts);
        // The first slices say little about the rest.
        if (30..1000).contains(&done) {
            let to_go = Duration::from_secs(ms * (1000 - done) / done / 1000);
            parts.push(fill!(out.lang, text::PROGRESS_TO_GO, time = crate::config::write_duration(to_go)));
        }
        parts.join(" · ")
    }

    /// `3 of 15 calls left per 1s`, in the fullest window of the account.
    async fn calls_left(&self, out: &Out) -> Option<String> {
        let limiter = self.cx.transport()?.limiter();
        let (left, rate) = limiter.left().await.ok()??;
        let per = crate::config::write_duration(rate.per);
        Some(fill!(out.lang, text::PROGRESS_CALLS, left = left, calls = rate.calls, per = per))
    }
}

#[cfg(test)]
mod tests {
    use milkrun_core::Rate;
    use milkrun_core::quota::Limit;

    use super::*;

    #[test]
    fn what_calls_wait_for_is_named() {
        let until = Some("2026-01-01T00:00:00Z".parse().unwrap());
        let limit = |endpoint: Option<&str>, is_share, calls| {
            let rate = Some(Rate { calls, per: Duration::from_mins(1) });
            HeldBy::Limit(Limit { endpoint: endpoint.map(str::to_owned), is_share, rate })
        };
        let under_way = HeldBy::Limit(Limit { endpoint: None, is_share: false, rate: None });
        let all = [
            (limit(None, false, 100), until),
            (limit(Some("items.get"), false, 30), until),
            (limit(None, true, 20), until),
            (limit(Some("items.get"), true, 6), until),
            (under_way, until),
            (HeldBy::Vendor, until),
            (HeldBy::Renewal, None),
        ];
        let told = [Lang::En, Lang::Zh].map(|lang| {
            let held = |(by, until): &(HeldBy, _)| HeldUp { account: "km".to_owned(), by: by.clone(), until: *until };
            all.each_ref().map(|one| tell_held_up(&held(one), lang)).join("\n")
        });
        insta::assert_snapshot!(told.join("\n\n"), @"
        the call limit of `km` (100/1m), until 2026-01-01 08:00:00+08:00
        the call limit of `items.get` at `km` (30/1m), until 2026-01-01 08:00:00+08:00
        the backfill's share of the call limit of `km` (20/1m), until 2026-01-01 08:00:00+08:00
        the backfill's share of the call limit of `items.get` at `km` (6/1m), until 2026-01-01 08:00:00+08:00
        the call limit of `km` (calls under way), until 2026-01-01 08:00:00+08:00
        the pause that the vendor of `km` asks for, until 2026-01-01 08:00:00+08:00
        the token of `km`, which is being renewed

        `km` 的调用限额（100/1m），至 2026-01-01 08:00:00+08:00
        `km` 的接口 `items.get` 的调用限额（30/1m），至 2026-01-01 08:00:00+08:00
        `km` 的调用限额中补读的份额（20/1m），至 2026-01-01 08:00:00+08:00
        `km` 的接口 `items.get` 的调用限额中补读的份额（6/1m），至 2026-01-01 08:00:00+08:00
        `km` 的调用限额（进行中的调用），至 2026-01-01 08:00:00+08:00
        `km` 的厂商要求的暂停，至 2026-01-01 08:00:00+08:00
        `km` 的令牌（正在刷新）
        ");
    }
}
