//! The reconciliation table: what was read, where it went, and what proves it.

use milkrun_core::state::Verdict;
use milkrun_engine::Report;

use super::{Align, Out, Table, number};
use crate::text::{self, Text, fill};

/// How many flows stand side by side.
const SIDE_BY_SIDE: usize = 3;

/// A row of the table: its name, its figure, and whether it is there without a figure too.
type Count = (Text, fn(&Report) -> u64, bool);

/// The verdict in words.
fn verdict(verdict: Verdict) -> Text {
    match verdict {
        Verdict::Reconciled => text::VERDICT_RECONCILED,
        Verdict::Unreconciled => text::VERDICT_UNRECONCILED,
        Verdict::Partial => text::VERDICT_PARTIAL,
        Verdict::Failed => text::VERDICT_FAILED,
    }
}

impl Out {
    /// The verdict with its colour.
    pub(crate) fn verdict(&self, value: Verdict) -> String {
        let styled = self.style(self.say(verdict(value))).bold();
        match value {
            Verdict::Reconciled => styled.green(),
            Verdict::Failed => styled.red(),
            Verdict::Unreconciled | Verdict::Partial => styled.yellow(),
        }
        .to_string()
    }
}

/// Writes the reconciliation of several runs, and below it what needs words.
pub(crate) fn reconciliation(out: &Out, reports: &[Report]) {
    for few in reports.chunks(SIDE_BY_SIDE) {
        out.line("");
        table(out, few).show(out);
    }
    for report in reports {
        words(out, report);
    }
}

fn table(out: &Out, reports: &[Report]) -> Table {
    let mut columns = vec![("", Align::Left)];
    columns.extend(reports.iter().map(|report| (report.flow.as_str(), Align::Right)));
    let mut table = Table::new(&columns);
    let mut row = |name: &str, cells: Vec<String>| {
        table.row(std::iter::once(name.to_owned()).chain(cells));
    };
    let counts: [Count; 9] = [
        (text::ROW_RECORDS, |r| r.counts.records, true),
        (text::ROW_NEW, |r| r.counts.new, true),
        (text::ROW_CHANGED, |r| r.counts.changed, true),
        (text::ROW_UNCHANGED, |r| r.counts.unchanged, true),
        (text::ROW_OLDER, |r| r.counts.older, false),
        (text::ROW_FILTERED, |r| r.counts.filtered, true),
        (text::ROW_REFUSED, |r| r.counts.refused, true),
        (text::ROW_PENDING, |r| r.counts.pending, false),
        (text::ROW_DOCUMENTS, |r| r.counts.documents, true),
    ];
    for (name, pick, always) in counts {
        if always || reports.iter().any(|r| pick(r) > 0) {
            row(out.say(name), reports.iter().map(|r| number(pick(r))).collect());
        }
    }
    // Dead letters that are sent again are not read from the source, so there is nothing to prove.
    if reports.iter().any(|r| r.calls > 0 || !r.proved.is_empty() || !r.open.is_empty()) {
        row(out.say(text::ROW_SLICES), reports.iter().map(slices).collect());
        row(out.say(text::ROW_TOTAL), reports.iter().map(|r| total(out, r)).collect());
        row(out.say(text::ROW_DISTINCT), reports.iter().map(|r| distinct(out, r)).collect());
    }
    if reports.iter().any(|r| !r.open.is_empty()) {
        row(out.say(text::ROW_OPEN), reports.iter().map(|r| number(r.open.len() as u64)).collect());
    }
    row(out.say(text::ROW_CALLS), reports.iter().map(|r| number(r.calls)).collect());
    row(out.say(text::ROW_TIME), reports.iter().map(time).collect());
    row(out.say(text::ROW_VERDICT), reports.iter().map(|r| out.verdict(r.verdict)).collect());
    table
}

/// The slices proved, by plan: `31 backwards`.
fn slices(report: &Report) -> String {
    let by_plan: Vec<_> = report.proved.iter().map(|(plan, p)| format!("{} {plan}", number(p.slices))).collect();
    if by_plan.is_empty() { "0".to_owned() } else { by_plan.join(" + ") }
}

fn total(out: &Out, report: &Report) -> String {
    let totals: Option<Vec<u64>> = report.proved.values().map(|p| p.total).collect();
    match totals {
        Some(totals) if !totals.is_empty() => number(totals.iter().sum()),
        _ => out.say(text::NOT_GIVEN).to_owned(),
    }
}

fn distinct(out: &Out, report: &Report) -> String {
    let counted: Option<Vec<u64>> = report.proved.values().map(|p| p.distinct).collect();
    counted.map_or_else(|| out.say(text::NOT_COUNTED).to_owned(), |counted| number(counted.iter().sum()))
}

fn time(report: &Report) -> String {
    let ms = report.ended.duration_since(report.started).as_millis().max(0);
    let tenths = ms / 100;
    if ms < 60_000 {
        format!("{}.{} s", tenths / 10, tenths % 10)
    } else {
        format!("{} min {} s", ms / 60_000, ms / 1000 % 60)
    }
}

/// Writes what does not fit a table.
fn words(out: &Out, report: &Report) {
    out.line("");
    out.heading(&report.flow);
    for line in explanations(out, report) {
        out.line(line);
    }
}

/// Why a run did not end well, where its documents are, what its proof rests on.
fn explanations(out: &Out, report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(reason) = &report.reason {
        lines.push(fill!(out.lang, text::REASON, reason = out.retell(reason)));
    }
    for slice in report.open.iter().take(5) {
        lines.push(fill!(out.lang, text::OPEN_SLICE, slice = slice.covers, why = out.retell(&slice.why)));
    }
    if report.open.len() > 5 {
        lines.push(fill!(out.lang, text::AND_MORE, n = report.open.len() - 5));
    }
    if let Some(beside) = &report.backfill {
        let (proved, open) = (number(beside.proved), number(beside.open));
        lines.push(fill!(out.lang, text::BESIDE, proved = proved, open = open));
        for slice in beside.set_aside.iter().take(5) {
            lines.push(fill!(out.lang, text::OPEN_SLICE, slice = slice.covers, why = out.retell(&slice.why)));
        }
    }
    if let Some(place) = &report.place {
        lines.push(fill!(out.lang, text::PLACE, place = place));
    }
    if report.verdict == Verdict::Reconciled && !report.proved.is_empty() {
        lines.push(fill!(out.lang, text::ASSUMES, assumes = out.retell(&report.assumes)));
    }
    lines.push(fill!(out.lang, text::PROMISE, promise = out.retell(&report.promise)));
    if report.counts.refused > 0 {
        lines.push(fill!(out.lang, text::SEE_DEAD_LETTERS, flow = report.flow));
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::text::Lang;

    fn report(flow: &str, verdict: &str, records: u64, open: &[(&str, &str)]) -> Report {
        let counts = milkrun_engine::Counts { records, new: records, documents: records, ..Default::default() };
        let mut value = json!({
            "flow": flow, "verdict": verdict, "reason": null, "started": "2026-01-01T00:00:00Z",
            "ended": "2026-01-01T00:01:05.4Z", "counts": counts, "proved": {}, "assumes": "no row enters late",
            "promise": "exactly once", "open": open, "calls": 161, "place": "out/orders.jsonl",
        });
        value["proved"]["backwards"] = json!({ "slices": 30, "distinct": records, "total": records });
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn the_table_has_one_column_for_each_flow() {
        let mut out = Out::plain(Lang::En);
        let mut uncounted = report("files", "reconciled", 900_000, &[]);
        uncounted.proved.values_mut().for_each(|proved| proved.distinct = None);
        let reports = [
            report("orders", "reconciled", 24_000, &[]),
            report("采购订单", "unreconciled", 7, &[("[a, b)", "the total changed while it was read")]),
            uncounted,
        ];
        let mut shown = table(&out, &reports).render(&out);
        out.lang = Lang::Zh;
        shown.push_str(&table(&out, &reports).render(&out));
        insta::assert_snapshot!(shown);
    }
    #[test]
    fn what_the_engine_says_is_told_in_chinese() {
        let out = Out::plain(Lang::Zh);
        let open = [("[a, b)", "rows moved while the pages were read")];
        let mut unreconciled = report("orders", "unreconciled", 7, &open);
        unreconciled.reason = Some("1 slice could not be proved complete and stays open".to_owned());
        let mut failed = report("orders", "failed", 7, &[]);
        let error = milkrun_core::Error::new(milkrun_core::ErrorKind::Incoherent, "the same page came twice");
        failed.reason = Some(format!("{} — mend the reason and replay it", error.with("asked", "page 2")));
        let mut reconciled = report("orders", "reconciled", 7, &[]);
        reconciled.assumes = "no set of rows leaves and returns in step with both readings".to_owned();
        reconciled.promise = milkrun_core::Idempotency::Upsert { field: "id".into() }.promise().to_owned();
        let all = [unreconciled, failed, reconciled].map(|report| explanations(&out, &report).join("\n"));
        insta::assert_snapshot!(all.join("\n\n"));
    }
}
