//! Child processes: what they cost, and that none is left behind.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::Result;
use crate::shell::typed;

/// A running process that is killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Running(pub(crate) Child);

impl Running {
    /// Starts a server and returns it with its address, which `find` takes from the first line that has one.
    ///
    /// # Errors
    /// If it ends before it prints one.
    pub(crate) fn server(command: &mut Command, find: impl Fn(&str) -> Option<String>) -> Result<(Self, String)> {
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut running = Self(child.map_err(|error| format!("`{}`: {error}", typed(command)))?);
        let mut output = BufReader::new(running.0.stdout.take().expect("it is piped"));
        let mut line = String::new();
        let address = loop {
            line.clear();
            if output.read_line(&mut line)? == 0 {
                return Err(format!("`{}` ended with {}", typed(command), running.0.wait()?).into());
            }
            if let Some(address) = find(&line) {
                break address;
            }
        };
        // It may print on; a full pipe would hold it up.
        thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
        Ok((running, address))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a process has cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    /// CPU seconds of all its threads, user and system.
    pub(crate) cpu: f64,
    /// The most memory it had resident, in MiB.
    pub(crate) peak_mib: f64,
    /// Seconds from its start to its end.
    pub(crate) wall: f64,
}

/// Runs a command to its end and measures it. Its standard output is thrown away.
///
/// No other child may end meanwhile: the kernel gives the sum over all that were waited for.
///
/// # Errors
/// If the command does not end well, or the system is not Linux.
pub(crate) fn measure(command: &mut Command) -> Result<Cost> {
    let before = children_cpu()?;
    let begun = Instant::now();
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
    let mut child = Running(child.map_err(|error| format!("`{}`: {error}", typed(command)))?);
    let status = format!("/proc/{}/status", child.0.id());
    let mut peak_kib = 0;
    let ended: ExitStatus = loop {
        // The high-water mark only grows, so looking often enough to catch the end is all that matters.
        peak_kib = peak_kib.max(fs::read_to_string(&status).ok().and_then(|text| high_water(&text)).unwrap_or(0));
        if let Some(ended) = child.0.try_wait()? {
            break ended;
        }
        thread::sleep(Duration::from_millis(4));
    };
    let wall = begun.elapsed().as_secs_f64();
    if !ended.success() {
        return Err(format!("`{}` ended with {ended}", typed(command)).into());
    }
    let cpu = children_cpu()? - before;
    Ok(Cost { cpu, peak_mib: f64::from(peak_kib) / 1024.0, wall })
}

fn high_water(status: &str) -> Option<u32> {
    field(status, "VmHWM:")
}

/// A figure of a `status` file, in KiB.
fn field(status: &str, name: &str) -> Option<u32> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// What a process has resident now, in MiB.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resident {
    /// All of it.
    pub(crate) now: f64,
    /// The most it had.
    pub(crate) peak: f64,
    /// What is its own, and not pages of the program's file, which the system takes back when it needs room.
    pub(crate) own: f64,
}

/// The memory of a running process.
///
/// # Errors
/// If it is gone, or the system is not Linux.
pub(crate) fn resident_of(id: u32) -> Result<Resident> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).map_err(|e| format!("measuring needs Linux: {e}"))?;
    let mib = |name| field(&status, name).map(|kib| f64::from(kib) / 1024.0);
    let figures = mib("VmRSS:").zip(mib("VmHWM:")).zip(mib("RssAnon:"));
    let ((now, peak), own) = figures.ok_or("the file `status` has another form")?;
    Ok(Resident { now, peak, own })
}

/// CPU seconds of a running process and all its threads, to a hundredth.
///
/// # Errors
/// If it is gone, or the system is not Linux.
pub(crate) fn cpu_of(id: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).map_err(|e| format!("measuring needs Linux: {e}"))?;
    // Fields 14 and 15 of proc(5), counted from 1.
    ticks(&stat, 11)
}

/// CPU seconds of all children that have ended, to a hundredth.
fn children_cpu() -> Result<f64> {
    let text = fs::read_to_string("/proc/self/stat").map_err(|error| format!("measuring needs Linux: {error}"))?;
    // Fields 16 and 17 of proc(5), counted from 1.
    ticks(&text, 13)
}

/// The sum of two neighbouring times of a `stat` file, in seconds; the first field after the name is the third.
fn ticks(stat: &str, skip: usize) -> Result<f64> {
    let (_, fields) = stat.rsplit_once(") ").ok_or("the file `stat` has another form")?;
    let ticks = fields.split(' ').skip(skip).take(2).map(str::parse::<u32>).sum::<std::result::Result<u32, _>>()?;
    // Linux shows its times to programs in hundredths of a second on every machine.
    Ok(f64::from(ticks) / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_high_water_mark_is_read() {
        assert_eq!(high_water("Name:\tx\nVmHWM:\t   12345 kB\nVmRSS:\t 1 kB\n"), Some(12_345));
        assert_eq!(high_water("Name:\tx\n"), None);
    }

    #[test]
    fn a_busy_process_costs_something() {
        let cost =
            measure(Command::new("sh").args(["-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"])).unwrap();
        assert!(cost.cpu > 0.0 && cost.cpu <= cost.wall + 0.05, "{cost:?}");
        assert!(cost.peak_mib > 0.1, "{cost:?}");
        assert!(measure(Command::new("sh").args(["-c", "exit 3"])).is_err());
    }
}
