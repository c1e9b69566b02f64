//! What a record costs: the engine's process beside two programs that do the same and keep no state.
//!
//! All read the same server in the same run, a page after another, and write the same ten fields as JSON Lines.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::median;
use crate::Result;
use crate::args::Args;
use crate::installation::{self, Flow, Installation, Quota, remove, scratch};
use crate::process::{Cost, Running, measure};
use crate::shell::{self, Workspace, cargo};
use crate::time::{DAY, now, rfc3339};

/// The stream, which names the flow and its file too.
const STREAM: &str = "orders";
/// The ten fields, in the words of the floor programs.
const MAPPING: &str = "\
[mapping.fields]
order_id = \"sid\"
order_no = \"tid\"
shop = \"shopName\"
status = \"unifiedStatus\"
buyer = \"buyerNick\"
paid = \"payment\"
discount = \"discountFee\"
created_at = \"created\"
changed_at = \"updTime\"
lines = \"orders\"
";
/// Orders of a day: as many windows follow from the number of orders as in real life.
const PER_DAY: u64 = 5_000;
/// Milliseconds of a call where the vendor is slow.
const SLOW: &str = "50";

/// How much is measured.
#[derive(Clone, Debug)]
struct Plan {
    orders: u64,
    big: u64,
    keys: u64,
    rounds: usize,
    only: Option<String>,
}

/// What is measured, in the order in which it is shown.
const VARIANTS: [(&str, &str); 8] = [
    ("value", "floor: reqwest + serde_json::Value, no state"),
    ("raw", "floor: records split, fields copied as text, no state"),
    ("new", "new, in key order, no journal"),
    ("journal", "new, in key order, with journal"),
    ("unchanged", "read again, all unchanged, no journal"),
    ("changed", "all changed, scattered keys, no journal"),
    ("big", "new, in key order, with journal, many"),
    ("slow", "50 ms a call: 8 slices side by side, against 1"),
];

/// `cargo xtask bench read`.
pub(super) fn main(mut args: Args) -> Result {
    let plan = Plan {
        orders: args.option("--orders")?.unwrap_or(100_000),
        big: args.option("--big")?.unwrap_or(2_000_000),
        keys: args.option("--keys")?.unwrap_or(1_000_000),
        rounds: args.option("--rounds")?.unwrap_or(3),
        only: args.option("--only")?,
    };
    args.finish()?;
    if let Some(only) = &plan.only
        && !VARIANTS.iter().any(|(name, _)| name == only)
    {
        let names = VARIANTS.map(|(name, _)| name).join(", ");
        return Err(format!("no variant is called `{only}`; there are {names}").into());
    }
    let bench = Bench::prepare(plan)?;
    let mut results = Vec::new();
    for (name, what) in VARIANTS {
        // Without the floor there is nothing to compare with.
        if bench.plan.only.as_deref().is_none_or(|only| only == name || name == "value") {
            results.push(bench.variant(name, what)?);
        }
    }
    remove(&bench.folder)?;
    show(&results)
}

/// The figures of one variant.
#[derive(Debug)]
struct Measured {
    name: &'static str,
    what: &'static str,
    records: u64,
    rounds: Vec<Cost>,
    /// The same with one slice at a time, where that is what is compared.
    one_by_one: Vec<Cost>,
}

impl Measured {
    fn cpu(&self) -> f64 {
        let each = self.rounds.iter().map(|cost| cost.cpu).collect();
        #[expect(clippy::cast_precision_loss, reason = "a few million")]
        let records = self.records as f64;
        median(each) * 100_000.0 / records
    }

    fn peak(&self) -> f64 {
        self.rounds.iter().map(|cost| cost.peak_mib).fold(0.0, f64::max)
    }

    fn faster(&self) -> f64 {
        let wall = |costs: &[Cost]| median(costs.iter().map(|cost| cost.wall).collect());
        wall(&self.one_by_one) / wall(&self.rounds)
    }
}

/// The programs and where they work.
#[derive(Debug)]
struct Bench {
    plan: Plan,
    folder: PathBuf,
    milkrun: PathBuf,
    floors: PathBuf,
    /// The first instant of all data, far enough in the past that no late pass reaches it.
    start: i64,
}

impl Bench {
    fn prepare(plan: Plan) -> Result<Self> {
        let root = shell::root();
        let milkrun = installation::build(&root, true)?;
        // On its own, so that its features do not change the engine's dependencies.
        shell::run(cargo(&root).args(["build", "--quiet", "--release", "--package", "milkrun-floors"]))?;
        let floors = Workspace::load(&root)?.target().join("release");
        let days = i64::try_from((plan.big.max(plan.keys) + 4 * plan.orders) / PER_DAY)? + 30;
        let start = (now() / DAY - days) * DAY;
        let folder = scratch(&root, "bench")?;
        Ok(Self { plan, folder, milkrun, floors, start })
    }

    /// The instant by which so many orders are there, at so many a day.
    fn after(&self, orders: u64) -> i64 {
        let millis = u128::from(orders) * u128::from(DAY.unsigned_abs()) / u128::from(PER_DAY);
        self.start + i64::try_from(millis).expect("a few years")
    }

    fn serve(&self, latency: &str, sets: &[String]) -> Result<(Running, String)> {
        let mut command = Command::new(self.floors.join("bench-server"));
        command.args(["--latency", latency]);
        for set in sets {
            command.args(["--set", set]);
        }
        Running::server(&mut command, installation::address)
    }

    /// A set of new orders, for the server.
    fn new_set(&self, orders: u64) -> String {
        format!("{orders},{},{}", self.start, self.after(orders))
    }

    fn flow(&self, until: i64, journal: bool, more: &str) -> Flow<'static> {
        Flow {
            stream: STREAM,
            source: format!(
                "since = \"{}\"\nuntil = \"{}\"\npage_size = 100\n{more}",
                rfc3339(self.start),
                rfc3339(until)
            ),
            sink: format!("journal = {journal}"),
            mapping: MAPPING,
        }
    }

    fn install(&self, url: &str, flow: Flow<'_>) -> Result<Installation> {
        Installation::make(&self.folder.join("installation"), url, Quota::Unlimited, &[flow])
    }

    fn run(&self, installation: &Installation) -> Result<Cost> {
        measure(&mut installation.run(&self.milkrun, STREAM))
    }

    fn variant(&self, name: &'static str, what: &'static str) -> Result<Measured> {
        eprintln!("{what} …");
        let orders = if name == "big" { self.plan.big } else { self.plan.orders };
        let mut measured = Measured { name, what, records: orders, rounds: Vec::new(), one_by_one: Vec::new() };
        match name {
            "value" | "raw" => self.floor(&mut measured)?,
            "new" | "big" | "journal" => self.all_new(&mut measured, name != "new")?,
            "unchanged" => self.unchanged(&mut measured)?,
            "changed" => self.changed(&mut measured)?,
            _ => self.slow(&mut measured)?,
        }
        Ok(measured)
    }

    fn floor(&self, measured: &mut Measured) -> Result {
        let (_server, url) = self.serve("0", &[self.new_set(measured.records)])?;
        let file = self.folder.join(measured.name).with_extension("jsonl");
        let span = [self.start.to_string(), self.after(measured.records).to_string()];
        for _ in 0..self.plan.rounds {
            let program = self.floors.join(format!("floor-{}", measured.name));
            measured.rounds.push(measure(Command::new(program).arg(&url).args(&span).arg(&file))?);
        }
        expect_lines(&file, measured.records)
    }

    fn all_new(&self, measured: &mut Measured, journal: bool) -> Result {
        let (_server, url) = self.serve("0", &[self.new_set(measured.records)])?;
        for _ in 0..self.plan.rounds {
            let installation = self.install(&url, self.flow(self.after(measured.records), journal, ""))?;
            measured.rounds.push(self.run(&installation)?);
            expect_lines(&installation.output(STREAM), measured.records)?;
            let raw = self.folder.join("raw.jsonl");
            if measured.records == self.plan.orders && raw.exists() && sum(&raw)? != sum(&installation.output(STREAM))?
            {
                return Err("the engine and the floor program wrote different lines".into());
            }
            remove(&installation.folder)?;
        }
        Ok(())
    }

    /// The second run reaches back over everything that the first one read.
    fn unchanged(&self, measured: &mut Measured) -> Result {
        let (_server, url) = self.serve("0", &[self.new_set(measured.records)])?;
        let end = self.after(measured.records);
        let installation = self.install(&url, self.flow(end, false, ""))?;
        self.run(&installation)?;
        let days = (end - self.start) / DAY + 1;
        for round in 1..=i64::try_from(self.plan.rounds)? {
            let until = end + round * 60_000;
            installation.write_flow(&self.flow(until, false, &format!("lookback = \"{days}d\"")))?;
            measured.rounds.push(self.run(&installation)?);
        }
        expect_lines(&installation.output(STREAM), measured.records)?;
        remove(&installation.folder)
    }

    /// After a first reading of many keys, each round brings new versions of some of them, in no order.
    fn changed(&self, measured: &mut Measured) -> Result {
        let (keys, n) = (self.plan.keys, measured.records);
        let ends: Vec<i64> = (0..=self.plan.rounds as u64).map(|round| self.after(keys + round * n)).collect();
        let mut sets = vec![self.new_set(keys)];
        sets.extend(ends.windows(2).map(|span| format!("{n},{},{},{keys}", span[0], span[1])));
        let (_server, url) = self.serve("0", &sets)?;
        let installation = self.install(&url, self.flow(ends[0], false, ""))?;
        self.run(&installation)?;
        for (round, until) in ends[1..].iter().enumerate() {
            // What lies behind the window's end by less than the usual lookback would be counted as read again.
            installation.write_flow(&self.flow(*until, false, "lookback = \"0\""))?;
            measured.rounds.push(self.run(&installation)?);
            expect_lines(&installation.output(STREAM), keys + (round as u64 + 1) * n)?;
        }
        remove(&installation.folder)
    }

    fn slow(&self, measured: &mut Measured) -> Result {
        let orders = measured.records / 4;
        measured.records = orders;
        let (_server, url) = self.serve(SLOW, &[self.new_set(orders)])?;
        // Many windows of a few pages each.
        let windows = "window = \"6h\"";
        for _ in 0..self.plan.rounds {
            for (concurrency, into) in [(8, &mut measured.rounds), (1, &mut measured.one_by_one)] {
                let more = format!("{windows}\nconcurrency = {concurrency}");
                let installation = self.install(&url, self.flow(self.after(orders), true, &more))?;
                into.push(self.run(&installation)?);
                expect_lines(&installation.output(STREAM), orders)?;
                remove(&installation.folder)?;
            }
        }
        Ok(())
    }
}

/// Makes sure that a file has so many lines.
fn expect_lines(file: &Path, expected: u64) -> Result {
    let mut found = 0;
    let mut input = BufReader::with_capacity(1 << 20, File::open(file)?);
    loop {
        let chunk = input.fill_buf()?;
        if chunk.is_empty() {
            break;
        }
        found += chunk.split(|&byte| byte == b'\n').count() as u64 - 1;
        let n = chunk.len();
        input.consume(n);
    }
    if found == expected { Ok(()) } else { Err(format!("{}: {found} lines, not {expected}", file.display()).into()) }
}

/// A sum over all lines that does not depend on their order (FNV-1a of each line).
fn sum(file: &Path) -> Result<u64> {
    let hash = |line: &[u8]| {
        line.iter().fold(0xCBF2_9CE4_8422_2325, |h: u64, b| (h ^ u64::from(*b)).wrapping_mul(0x100_0000_01B3))
    };
    Ok(fs::read(file)?.split(|&byte| byte == b'\n').fold(0, |sum: u64, line| sum.wrapping_add(hash(line))))
}

/// The table, and the marks.
fn show(results: &[Measured]) -> Result {
    let of = |name: &str| results.iter().find(|measured| measured.name == name);
    let value = of("value").map_or(f64::NAN, Measured::cpu);
    println!(
        "\nCPU seconds (user and system) of the process per 100,000 records, medians of {} rounds\n",
        results[0].rounds.len()
    );
    println!("| variant | records | CPU s per 100k | of the Value loop | peak MiB | least to most |");
    println!("| --- | ---: | ---: | ---: | ---: | --- |");
    for measured in results {
        #[expect(clippy::cast_precision_loss, reason = "a few million")]
        let scale = 100_000.0 / measured.records as f64;
        let each = || measured.rounds.iter().map(|cost| cost.cpu * scale);
        let (least, most) = (each().fold(f64::INFINITY, f64::min), each().fold(0.0, f64::max));
        println!(
            "| {} | {} | {:.2} | {:.2} | {:.0} | {least:.2} to {most:.2} |",
            measured.what,
            measured.records,
            measured.cpu(),
            measured.cpu() / value,
            measured.peak()
        );
    }
    println!();
    let mut missed = 0;
    let mut mark = |what: &str, figure: Option<f64>, limit: f64, at_most: bool| {
        let Some(figure) = figure else { return };
        let good = if at_most { figure <= limit } else { figure >= limit };
        missed += usize::from(!good);
        let (word, way) = (if good { "reached" } else { "MISSED" }, if at_most { "at most" } else { "at least" });
        println!("{word:<8} {what}: {figure:.2} ({way} {limit})");
    };
    let ratio = |name| of(name).map(|measured| measured.cpu() / value);
    mark("without journal, of the Value loop", ratio("new"), 0.4, true);
    mark("with journal, of the Value loop", ratio("journal"), 0.6, true);
    mark("all changed and scattered, of the Value loop", ratio("changed"), 1.3, true);
    let engine = || results.iter().filter(|measured| !["value", "raw"].contains(&measured.name));
    mark("peak MiB of all runs", engine().map(Measured::peak).reduce(f64::max), 64.0, true);
    if let (Some(big), Some(journal)) = (of("big"), of("journal")) {
        mark("CPU per record of many against few", Some(big.cpu() / journal.cpu()), 1.2, true);
        mark("peak memory of many against few", Some(big.peak() / journal.peak()), 1.2, true);
    }
    mark("rate of 8 slices against 1 at 50 ms", of("slow").map(Measured::faster), 6.0, false);
    if missed == 0 { Ok(()) } else { Err(format!("{missed} marks are missed").into()) }
}
