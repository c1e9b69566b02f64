//! What a record costs: the engine's process beside two programs that do the same and keep no state.
//!
//! All read the same orders from the same server, page after page, and write the same fields as JSON Lines. The rounds
//! of all variants alternate, so that other work on the machine falls on all of them.

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
/// Ten fields, in the words of the floor programs.
const TEN: &str = "\
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
/// The same ten, and all other fields as they came.
const WHOLE: &str = "\
[mapping]
keep = \"all\"
drop = [\"sid\", \"tid\", \"shopName\", \"unifiedStatus\", \"buyerNick\", \"payment\", \"discountFee\", \"created\", \
\"updTime\", \"orders\"]

";
/// Orders of a day: how many windows there are follows from the number of orders, as in real life.
const PER_DAY: u64 = 5_000;
/// Milliseconds of a call where the vendor is slow.
const SLOW: &str = "50";

/// How much is measured.
#[derive(Clone, Debug)]
struct Plan {
    orders: u64,
    big: u64,
    keys: u64,
    rounds: u64,
    /// Whether documents keep all fields of a record, ten of them renamed.
    whole: bool,
}

/// What is measured, in the order in which it is shown.
const VARIANTS: [(&str, &str); 8] = [
    (VALUE, "floor: reqwest + serde_json::Value, no state"),
    (RAW, "floor: records split, fields copied as text, no state"),
    ("new", "new, in key order, no journal"),
    ("journal", "new, in key order, with journal"),
    ("unchanged", "read again, all unchanged, no journal"),
    ("changed", "all changed, scattered keys, no journal"),
    ("big", "new, in key order, with journal, many"),
    ("slow", "50 ms a call: 8 slices side by side, against 1"),
];
const VALUE: &str = "value";
const RAW: &str = "raw";

/// `cargo xtask bench read`.
pub(super) fn main(mut args: Args) -> Result {
    let plan = Plan {
        orders: args.option("--orders")?.unwrap_or(100_000),
        big: args.option("--big")?.unwrap_or(2_000_000),
        keys: args.option("--keys")?.unwrap_or(1_000_000),
        rounds: args.option("--rounds")?.unwrap_or(3),
        whole: args.flag("--whole"),
    };
    let only: Option<String> = args.option("--only")?;
    args.finish()?;
    let wanted: Vec<&str> = only.iter().flat_map(|names| names.split(',')).collect();
    if let Some(unknown) = wanted.iter().find(|wanted| !VARIANTS.iter().any(|(name, _)| name == *wanted)) {
        let names = VARIANTS.map(|(name, _)| name).join(", ");
        return Err(format!("no variant is called `{unknown}`; there are {names}").into());
    }
    // Without the first floor there is nothing to compare with.
    let is_wanted = |name: &str| wanted.is_empty() || wanted.contains(&name) || name == VALUE;
    let bench = Bench::prepare(plan)?;
    let mut lanes = Vec::new();
    for (name, what) in VARIANTS.into_iter().filter(|(name, _)| is_wanted(name)) {
        eprintln!("prepare: {what}");
        lanes.push(bench.lane(name, what)?);
    }
    for round in 1..=bench.plan.rounds {
        for lane in &mut lanes {
            eprintln!("round {round}: {}", lane.what);
            bench.round(lane, round)?;
        }
    }
    bench.compare(&lanes)?;
    remove(&bench.folder)?;
    show(&lanes, bench.plan.whole)
}

/// One variant with its server, its installation and its figures.
#[derive(Debug)]
struct Lane {
    name: &'static str,
    what: &'static str,
    records: u64,
    url: String,
    _server: Running,
    installation: Option<Installation>,
    costs: Vec<Cost>,
    /// The same with one slice at a time, where that is what is compared.
    one_by_one: Vec<Cost>,
}

impl Lane {
    #[expect(clippy::cast_precision_loss, reason = "a few million")]
    fn per_100k(&self) -> impl Iterator<Item = f64> + '_ {
        let scale = 100_000.0 / self.records as f64;
        self.costs.iter().map(move |cost| cost.cpu * scale)
    }

    fn cpu(&self) -> f64 {
        median(self.per_100k().collect())
    }

    /// The middle one of the rounds' ratios.
    fn against(&self, other: &Self) -> f64 {
        median(self.per_100k().zip(other.per_100k()).map(|(own, other)| own / other).collect())
    }

    fn peak(&self) -> f64 {
        self.costs.iter().chain(&self.one_by_one).map(|cost| cost.peak_mib).fold(0.0, f64::max)
    }

    fn faster(&self) -> f64 {
        median(self.one_by_one.iter().zip(&self.costs).map(|(one, eight)| one.wall / eight.wall).collect())
    }

    fn is_floor(&self) -> bool {
        [VALUE, RAW].contains(&self.name)
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
        let most = plan.big.max(plan.keys + plan.rounds * plan.orders);
        let start = (now() / DAY - i64::try_from(most / PER_DAY)? - 30) * DAY;
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

    fn flow(&self, until: i64, journal: bool, more: &str) -> Flow {
        Flow {
            stream: STREAM,
            source: format!(
                "since = \"{}\"\nuntil = \"{}\"\npage_size = 100\n{more}",
                rfc3339(self.start),
                rfc3339(until)
            ),
            sink: format!("journal = {journal}"),
            mapping: if self.plan.whole { format!("{WHOLE}{TEN}") } else { TEN.to_owned() },
        }
    }

    fn install(&self, lane: &Lane, flow: &Flow) -> Result<Installation> {
        Installation::make(&self.folder.join(lane.name), &lane.url, Quota::Unlimited, std::slice::from_ref(flow))
    }

    fn run(&self, installation: &Installation, expected: u64) -> Result<Cost> {
        let cost = measure_alone(&mut installation.run(&self.milkrun, STREAM))?;
        expect_lines(&installation.output(STREAM), expected)?;
        Ok(cost)
    }

    /// Starts a variant's server, and brings it to where its rounds begin.
    fn lane(&self, name: &'static str, what: &'static str) -> Result<Lane> {
        let records = match name {
            "big" => self.plan.big,
            "slow" => self.plan.orders / 4,
            _ => self.plan.orders,
        };
        let first = if name == "changed" { self.plan.keys } else { records };
        let mut sets = vec![format!("{first},{},{}", self.start, self.after(first))];
        if name == "changed" {
            // Each round brings new versions of so many of the keys, in no order.
            sets.extend((0..self.plan.rounds).map(|round| {
                let (from, until) = (self.after(first + round * records), self.after(first + (round + 1) * records));
                format!("{records},{from},{until},{first}")
            }));
        }
        let (server, url) = self.serve(if name == "slow" { SLOW } else { "0" }, &sets)?;
        let (costs, one_by_one) = (Vec::new(), Vec::new());
        let mut lane = Lane { name, what, records, url, _server: server, installation: None, costs, one_by_one };
        if ["unchanged", "changed"].contains(&name) {
            let installation = self.install(&lane, &self.flow(self.after(first), false, ""))?;
            self.run(&installation, first)?;
            lane.installation = Some(installation);
        }
        Ok(lane)
    }

    fn round(&self, lane: &mut Lane, round: u64) -> Result {
        let (records, end) = (lane.records, self.after(lane.records));
        let cost = match (lane.name, &lane.installation) {
            (VALUE | RAW, _) => {
                let file = self.folder.join(lane.name).with_extension("jsonl");
                let mut program = Command::new(self.floors.join(format!("floor-{}", lane.name)));
                program.arg(&lane.url).args([self.start.to_string(), end.to_string()]).arg(&file);
                if self.plan.whole {
                    program.arg("whole");
                }
                let cost = measure_alone(&mut program)?;
                expect_lines(&file, records)?;
                cost
            }
            ("unchanged", Some(installation)) => {
                // Reaches back over everything that the first run read.
                let days = (end - self.start) / DAY + 1;
                let until = end + i64::try_from(round)? * 60_000;
                installation.write_flow(&self.flow(until, false, &format!("lookback = \"{days}d\"")))?;
                self.run(installation, records)?
            }
            ("changed", Some(installation)) => {
                let until = self.after(self.plan.keys + round * records);
                // Nothing but the round's own records is read.
                installation.write_flow(&self.flow(until, false, "lookback = \"0\""))?;
                self.run(installation, self.plan.keys + round * records)?
            }
            ("slow", _) => {
                let anew = |concurrency: u32| -> Result<Cost> {
                    // Many windows of a few pages each.
                    let more = format!("window = \"1h\"\nconcurrency = {concurrency}");
                    self.run(&self.install(lane, &self.flow(end, true, &more))?, records)
                };
                let (eight, one) = (anew(8)?, anew(1)?);
                lane.one_by_one.push(one);
                eight
            }
            _ => {
                let flow = self.flow(end, lane.name != "new", "");
                self.run(&self.install(lane, &flow)?, records)?
            }
        };
        lane.costs.push(cost);
        Ok(())
    }

    /// The engine has to write what the floor writes, line for line.
    fn compare(&self, lanes: &[Lane]) -> Result {
        let has = |name: &str| lanes.iter().any(|lane| lane.name == name);
        if !has(RAW) || !has("new") {
            return Ok(());
        }
        let floor = sum(&self.folder.join(RAW).with_extension("jsonl"))?;
        let engine = sum(&self.folder.join("new").join("out").join(STREAM).with_extension("jsonl"))?;
        if floor == engine { Ok(()) } else { Err("the engine and the floor program wrote different lines".into()) }
    }
}

/// Measures a command when the disk has nothing left to do for the one before.
fn measure_alone(command: &mut Command) -> Result<Cost> {
    shell::run(&mut Command::new("sync"))?;
    measure(command)
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
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01B3);
    let lines = fs::read(file)?;
    let hashes = lines.split(|&byte| byte == b'\n').map(|line| line.iter().fold(0xCBF2_9CE4_8422_2325, step));
    Ok(hashes.fold(0, u64::wrapping_add))
}

/// The table, and the marks.
fn show(lanes: &[Lane], whole: bool) -> Result {
    let of = |name: &str| lanes.iter().find(|lane| lane.name == name);
    let value = of(VALUE).ok_or("the first floor is always measured")?;
    let written = if whole { "all fields, ten of them renamed" } else { "ten fields, the lines among them" };
    println!(
        "\nCPU seconds (user and system) of the process per 100,000 records, medians of {} rounds; written: {written}\n",
        value.costs.len()
    );
    println!("| variant | records | CPU s per 100k | least to most | of the Value loop | peak MiB |");
    println!("| --- | ---: | ---: | --- | ---: | ---: |");
    for lane in lanes {
        let (least, most) = (lane.per_100k().fold(f64::INFINITY, f64::min), lane.per_100k().fold(0.0, f64::max));
        println!(
            "| {} | {} | {:.2} | {least:.2} to {most:.2} | {:.2} | {:.0} |",
            lane.what,
            lane.records,
            lane.cpu(),
            lane.against(value),
            lane.peak()
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
    let ratio = |name| of(name).map(|lane| lane.against(value));
    mark("without journal, of the Value loop", ratio("new"), 0.4, true);
    mark("with journal, of the Value loop", ratio("journal"), 0.6, true);
    mark("all changed and scattered, of the Value loop", ratio("changed"), 1.3, true);
    mark(
        "peak MiB of all runs",
        lanes.iter().filter(|lane| !lane.is_floor()).map(Lane::peak).reduce(f64::max),
        64.0,
        true,
    );
    if let (Some(big), Some(journal)) = (of("big"), of("journal")) {
        mark("CPU per record of many against few", Some(big.against(journal)), 1.2, true);
        mark("peak memory of many against few", Some(big.peak() / journal.peak()), 1.2, true);
    }
    mark("rate of 8 slices against 1 at 50 ms", of("slow").map(Lane::faster), 6.0, false);
    if missed == 0 { Ok(()) } else { Err(format!("{missed} marks are missed").into()) }
}
