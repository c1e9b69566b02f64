//! Planning: which slices a run has to read.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use milkrun_core::state::Planned;
use milkrun_core::stream::{LatePass, Slice, StreamSpec, Window, WindowSpec};
use milkrun_core::{Error, Paging, Result};

/// What a flow says about time.
#[derive(Clone, Debug, Default)]
pub struct Span {
    /// The first instant ever read.
    pub since: Option<Timestamp>,
    /// Read nothing from this instant on; usually none, and the run reads up to now.
    pub until: Option<Timestamp>,
    /// Overrides the stream's longest window; never longer than that.
    pub window: Option<Duration>,
    /// Overrides how far the run reaches back.
    pub lookback: Option<Duration>,
    /// Overrides how long a change may take to show.
    pub settle: Option<Duration>,
}

/// What a run has to read beyond what is still open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The new slices, oldest first.
    pub slices: Vec<Slice>,
    /// Up to where they reach, to be committed with them.
    pub planned: Vec<Planned>,
}

/// Plans a run at `now`.
///
/// A stream with a window is cut into slices from the proved end less the lookback up to `now` less the settling
/// time. A stream with row versions goes on where it ended. Any other is read whole, once for each partition, unless
/// such a reading is still open.
///
/// # Errors
/// [`ErrorKind::ConfigInvalid`](milkrun_core::ErrorKind::ConfigInvalid) if a stream with a window has no `since`.
pub fn plan(
    stream: &StreamSpec,
    span: &Span,
    state: &PlanState<'_>,
    partitions: Option<&[String]>,
    now: Timestamp,
) -> Result<Plan> {
    let Some(window) = &stream.window else { return Ok(whole(stream, state, partitions)) };
    let mut plan = Plan::default();
    let settle = span.settle.unwrap_or(window.settle);
    let end = floor(now - signed(settle), window.granularity);
    // An end within a step would be sent as the step's beginning, and what lies between would be asked for by nobody.
    let until = span.until.map_or(end, |until| ceil(until, window.granularity).min(end));
    let planned = state.planned.iter().find(|p| p.axis.is_empty()).map(|p| p.until);
    let from = match (planned, span.since) {
        (Some(planned), since) => {
            let back = planned - signed(span.lookback.unwrap_or(window.lookback));
            since.map_or(back, |since| back.max(since))
        }
        (None, Some(since)) => since,
        (None, None) => {
            let error = Error::config("the flow does not say where to begin").with("stream", &stream.name);
            return Err(error.advise("add `since = \"2026-01-01\"` to its [source]"));
        }
    };
    // Even when no time has passed, what became visible late since the last run is looked for.
    // On whole steps, or the ends as they are sent would lie further apart than the vendor allows.
    let from = floor(from, window.granularity);
    if planned.is_none_or(|planned| until >= planned) && until > from {
        cut(&mut plan.slices, window, span, None, Window { from, until }, partitions);
        plan.planned.push(Planned { axis: String::new(), until });
    }
    for late in &window.late {
        pass(&mut plan, window, span, late, state, until, partitions);
    }
    Ok(plan)
}

/// Plans a backfill of `[from, until)` at `now`: its slices, oldest first, and up to where they reach.
///
/// What may still change without a trace, the settling time before now, is left to the flow's own runs.
///
/// # Errors
/// [`ErrorKind::ConfigInvalid`](milkrun_core::ErrorKind::ConfigInvalid) if the stream cannot be asked for a span of time,
/// or if nothing is left of the span.
pub fn plan_backfill(
    stream: &StreamSpec,
    span: &Span,
    whole: Window,
    partitions: Option<&[String]>,
    now: Timestamp,
) -> Result<(Vec<Slice>, Window)> {
    let Some(window) = &stream.window else {
        let error = Error::config("the stream cannot be asked for a span of time").with("stream", &stream.name);
        return Err(error.advise("run the flow: it reads the stream whole each time"));
    };
    let settled = floor(now - signed(span.settle.unwrap_or(window.settle)), window.granularity);
    let until = ceil(whole.until, window.granularity).min(settled);
    let whole = Window { from: floor(whole.from, window.granularity), until };
    if whole.from >= whole.until {
        let error = Error::config("the span to be read is empty").with("from", whole.from).with("until", whole.until);
        return Err(error.advise("it has to begin before it ends, and to lie in the past"));
    }
    let mut slices = Vec::new();
    cut(&mut slices, window, span, None, whole, partitions);
    Ok((slices, whole))
}

/// What of the stored state planning looks at.
#[derive(Clone, Copy, Debug)]
pub struct PlanState<'a> {
    /// For each axis, up to where slices have been planned.
    pub planned: &'a [Planned],
    /// Whether slices of an earlier run are still open.
    pub has_open: bool,
    /// The row version to start at.
    pub resume_version: Option<&'a str>,
}

/// Whether the slice that reaches to where the last plan ended is open still.
///
/// The next plan begins a lookback before that end. Made now, it would read the overlap beside the open slice, and one
/// more time with every restart; made when the open slices are done, it reads it once.
pub fn overlaps_open<'a>(planned: &[Planned], mut open: impl Iterator<Item = &'a Slice>) -> bool {
    let Some(last) = planned.iter().find(|planned| planned.axis.is_empty()) else { return false };
    open.any(|slice| slice.axis.is_none() && slice.window.is_some_and(|window| window.until >= last.until))
}

fn whole(stream: &StreamSpec, state: &PlanState<'_>, partitions: Option<&[String]>) -> Plan {
    let mut plan = Plan::default();
    if state.has_open {
        return plan;
    }
    let from_version = match stream.paging {
        Paging::RowVersion { .. } => state.resume_version.map(str::to_owned),
        _ => None,
    };
    match partitions {
        None => plan.slices.push(Slice { from_version, ..Slice::default() }),
        Some(values) => {
            plan.slices.extend(values.iter().map(|value| Slice { partition: Some(value.clone()), ..Slice::default() }));
        }
    }
    plan
}

/// A slower pass over another time, when it is due. The first run reads everything anyway, so it only starts the count.
fn pass(
    plan: &mut Plan,
    window: &WindowSpec,
    span: &Span,
    late: &LatePass,
    state: &PlanState<'_>,
    until: Timestamp,
    partitions: Option<&[String]>,
) {
    let last = state.planned.iter().find(|p| p.axis == late.axis).map(|p| p.until);
    let due = last.is_none_or(|last| until.duration_since(last) >= signed(late.every));
    if !due {
        return;
    }
    if last.is_some() {
        let from = until - signed(late.reach);
        let from = floor(span.since.map_or(from, |since| from.max(since)), window.granularity);
        cut(&mut plan.slices, window, span, Some(&late.axis), Window { from, until }, partitions);
    }
    plan.planned.push(Planned { axis: late.axis.clone(), until });
}

/// Cuts a span into slices no longer than the vendor and the flow allow.
fn cut(
    slices: &mut Vec<Slice>,
    window: &WindowSpec,
    span: &Span,
    axis: Option<&str>,
    whole: Window,
    partitions: Option<&[String]>,
) {
    let longest = span.window.map_or(window.longest, |own| own.min(window.longest)).max(window.granularity);
    let none = [None];
    let values: Vec<Option<&String>> = partitions.map_or(none.to_vec(), |values| values.iter().map(Some).collect());
    let mut from = whole.from;
    while from < whole.until {
        let until = (from + signed(longest)).min(whole.until);
        for value in &values {
            slices.push(Slice {
                axis: axis.map(str::to_owned),
                window: Some(Window { from, until }),
                partition: value.cloned(),
                from_version: None,
            });
        }
        from = until;
    }
}

fn floor(instant: Timestamp, granularity: Duration) -> Timestamp {
    let step = i128::try_from(granularity.as_nanos()).unwrap_or(1).max(1);
    Timestamp::from_nanosecond(instant.as_nanosecond().div_euclid(step) * step).unwrap_or(instant)
}

/// The first step that is not before `instant`.
fn ceil(instant: Timestamp, granularity: Duration) -> Timestamp {
    let below = floor(instant, granularity);
    if below == instant { instant } else { below + signed(granularity) }
}

pub(crate) fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use milkrun_testkit::sample_stream;

    const HOUR: Duration = Duration::from_hours(1);

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn windows(plan: &Plan) -> Vec<String> {
        plan.slices.iter().map(ToString::to_string).collect()
    }

    fn stream() -> StreamSpec {
        let window = WindowSpec {
            longest: HOUR,
            settle: Duration::from_mins(1),
            lookback: Duration::from_mins(10),
            late: vec![LatePass { axis: "pay_time".into(), every: 24 * HOUR, reach: 2 * HOUR }],
            ..WindowSpec::beijing("upd_time")
        };
        StreamSpec { window: Some(window), ..sample_stream() }
    }

    #[test]
    fn windows_cover_the_span_and_overlap_the_last_run() {
        let span = Span { since: Some(at("2026-08-01T00:00:00.25Z")), ..Span::default() };
        let none = PlanState { planned: &[], has_open: false, resume_version: None };
        let first = plan(&stream(), &span, &none, None, at("2026-08-01T02:31:00.7Z")).unwrap();
        assert_eq!(
            windows(&first),
            [
                "[2026-08-01T00:00:00Z, 2026-08-01T01:00:00Z)",
                "[2026-08-01T01:00:00Z, 2026-08-01T02:00:00Z)",
                "[2026-08-01T02:00:00Z, 2026-08-01T02:30:00Z)",
            ]
        );
        let state = PlanState { planned: &first.planned, ..none };
        let second = plan(&stream(), &span, &state, None, at("2026-08-01T02:41:00Z")).unwrap();
        assert_eq!(windows(&second), ["[2026-08-01T02:20:00Z, 2026-08-01T02:40:00Z)"]);
        let at_once = plan(&stream(), &span, &state, None, at("2026-08-01T02:31:00Z")).unwrap();
        assert_eq!(windows(&at_once), ["[2026-08-01T02:20:00Z, 2026-08-01T02:30:00Z)"]);
        let nothing_new = plan(&stream(), &span, &state, None, at("2026-08-01T02:30:59Z")).unwrap();
        assert_eq!(nothing_new, Plan::default());
    }

    #[test]
    fn late_passes_run_when_they_are_due() {
        let span = Span { since: Some(at("2026-08-01T00:00:00Z")), ..Span::default() };
        let planned = [
            Planned { axis: String::new(), until: at("2026-08-02T02:30:00Z") },
            Planned { axis: "pay_time".into(), until: at("2026-08-01T02:30:00Z") },
        ];
        let state = PlanState { planned: &planned, has_open: true, resume_version: None };
        let due = plan(&stream(), &span, &state, None, at("2026-08-02T02:33:00Z")).unwrap();
        assert_eq!(
            windows(&due)[1..],
            [
                "by pay_time [2026-08-02T00:32:00Z, 2026-08-02T01:32:00Z)",
                "by pay_time [2026-08-02T01:32:00Z, 2026-08-02T02:32:00Z)",
            ]
        );
    }

    #[test]
    fn a_backfill_is_cut_into_windows_and_ends_where_changes_are_settled() {
        let whole = |from, until| Window { from: at(from), until: at(until) };
        let now = at("2026-08-01T05:00:30Z");
        let ask = |span| plan_backfill(&stream(), &Span::default(), span, None, now);
        let (slices, read) = ask(whole("2026-08-01T00:00:00.5Z", "2026-08-01T01:30:00Z")).unwrap();
        let shown: Vec<_> = slices.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            ["[2026-08-01T00:00:00Z, 2026-08-01T01:00:00Z)", "[2026-08-01T01:00:00Z, 2026-08-01T01:30:00Z)"]
        );
        assert_eq!(read, whole("2026-08-01T00:00:00Z", "2026-08-01T01:30:00Z"));
        // What lies within the last step was asked for too.
        let (_, read) = ask(whole("2026-08-01T00:00:00Z", "2026-08-01T01:30:00.2Z")).unwrap();
        assert_eq!(read.until, at("2026-08-01T01:30:01Z"));
        let (_, read) = ask(whole("2026-08-01T04:00:00Z", "2027-01-01T00:00:00Z")).unwrap();
        assert_eq!(read.until, at("2026-08-01T04:59:30Z"));
        assert!(ask(whole("2026-08-01T04:00:00Z", "2026-08-01T04:00:00Z")).is_err());
        assert!(ask(whole("2026-08-02T00:00:00Z", "2026-08-03T00:00:00Z")).is_err());
        let no_window = StreamSpec { window: None, ..stream() };
        let span = whole("2026-08-01T00:00:00Z", "2026-08-01T01:00:00Z");
        let error = plan_backfill(&no_window, &Span::default(), span, None, now).unwrap_err();
        assert!(error.message().contains("span of time"), "{error}");
    }

    #[test]
    fn a_stream_without_windows_is_read_whole() {
        let none = PlanState { planned: &[], has_open: false, resume_version: Some("17") };
        let whole = StreamSpec { window: None, ..stream() };
        assert_eq!(
            windows(&plan(&whole, &Span::default(), &none, None, at("2026-08-01T00:00:00Z")).unwrap()),
            ["everything"]
        );
        let parts = ["A".to_owned(), "B".to_owned()];
        let by_part = plan(&whole, &Span::default(), &none, Some(&parts), at("2026-08-01T00:00:00Z")).unwrap();
        assert_eq!(windows(&by_part), ["of A", "of B"]);
        let open = PlanState { has_open: true, ..none };
        assert_eq!(plan(&whole, &Span::default(), &open, None, at("2026-08-01T00:00:00Z")).unwrap(), Plan::default());
        let versioned =
            StreamSpec { paging: Paging::RowVersion { parameter: "start_ts".into(), field: "ts".into() }, ..whole };
        let on = plan(&versioned, &Span::default(), &none, None, at("2026-08-01T00:00:00Z")).unwrap();
        assert_eq!(windows(&on), ["from version 17"]);
        assert!(plan(&stream(), &Span::default(), &none, None, at("2026-08-01T00:00:00Z")).is_err());
    }
}
