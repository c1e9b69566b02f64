//! What `milkrun serve` costs while nothing happens: memory, and CPU over a minute, with 200 flows.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::args::Args;
use crate::installation::{self, remove, scratch};
use crate::process::{Resident, Running, cpu_of, resident_of};
use crate::{Result, shell};

/// What is aimed at: MiB, and percent of one core.
const MIB: f64 = 40.0;
const PERCENT: f64 = 1.0;
/// The start is not what is measured: files are read, and what is due is decided.
const SETTLE: Duration = Duration::from_secs(15);

/// `cargo xtask bench serve [--flows N] [--seconds N] [--debug]`.
pub(super) fn main(mut args: Args) -> Result {
    let n_flows: u32 = args.option("--flows")?.unwrap_or(200);
    let seconds: u64 = args.option("--seconds")?.unwrap_or(60);
    let debug = args.flag("--debug");
    args.finish()?;
    let root = shell::root();
    let milkrun = installation::build(&root, !debug)?;
    let folder = scratch(&root, "serve")?;
    write(&folder, n_flows)?;
    // Each has run once, so that there is a past to look at.
    let once = Command::new(&milkrun).args(["run", "--all", "--no-progress", "--dir"]).arg(&folder).output()?;
    if !once.status.success() {
        return Err(format!("the flows do not run: {}", String::from_utf8_lossy(&once.stderr)).into());
    }
    let mut command = Command::new(&milkrun);
    command.args(["serve", "--listen", "127.0.0.1:0", "--lang", "en", "--dir"]).arg(&folder);
    let (running, _) = Running::server(&mut command, |line| Some(line[line.find("http://")?..].trim().to_owned()))?;
    thread::sleep(SETTLE);
    let id = running.0.id();
    let before = cpu_of(id)?;
    thread::sleep(Duration::from_secs(seconds));
    let cpu = cpu_of(id)? - before;
    let Resident { now, peak, own } = resident_of(id)?;
    drop(running);
    remove(&folder)?;
    #[expect(clippy::cast_precision_loss, reason = "some minutes at most")]
    let percent = cpu * 100.0 / seconds as f64;
    println!("`milkrun serve` at rest with {n_flows} flows, their console, and nobody looking at it");
    println!("memory {now:.1} MiB now, {own:.1} of it its own, {peak:.1} MiB at most (aim: under {MIB} MiB)");
    println!("CPU {cpu:.2} s in {seconds} s: {percent:.2} % of one core (aim: under {PERCENT} %)");
    if now > MIB || percent > PERCENT { Err("the aim is not reached".into()) } else { Ok(()) }
}

/// An installation whose flows start once a year, each with a mapping and a file of its own.
fn write(folder: &Path, n_flows: u32) -> Result {
    fs::create_dir_all(folder.join("flows"))?;
    fs::create_dir_all(folder.join("in"))?;
    let accounts = "[accounts.in]\nconnector = \"file\"\nfolder = \"in\"\n";
    let streams = (0..n_flows)
        .map(|n| format!("\n[[accounts.in.streams]]\nname = \"s{n}\"\npath = \"s{n}.jsonl\"\nkey = [\"id\"]\n"));
    let out = "\n[accounts.out]\nconnector = \"file\"\nfolder = \"out\"\n";
    fs::write(folder.join("milkrun.toml"), format!("{accounts}{}{out}", streams.collect::<String>()))?;
    for n in 0..n_flows {
        let lines: Vec<String> =
            (0..50).map(|id| format!("{{\"id\":{id},\"sum\":\"{id}.50\",\"name\":\"n{id}\"}}\n")).collect();
        fs::write(folder.join(format!("in/s{n}.jsonl")), lines.concat())?;
        let flow = format!(
            "schedule = \"0 0 3 1 1 ?\"\n\n[source]\naccount = \"in\"\nstream = \"s{n}\"\n\n[sink]\naccount = \"out\"\n\
             target = \"s{n}\"\n\n[mapping.fields]\nid = \"id\"\nsum = {{ from = \"sum\", type = \"decimal\" }}\n\
             name = {{ expr = '.name | upper' }}\n"
        );
        fs::write(folder.join(format!("flows/f{n:03}.toml")), flow)?;
    }
    Ok(())
}
