//! The shared suite, on files.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use milkrun_core::{Slice, StreamSpec, async_trait};
use milkrun_testkit::conformance::{self, Failure, Load, Scene, Strike, TestClock, Vendor};

use crate::support::Installation;

/// A folder with a file for each stream.
struct Folder {
    home: Installation,
    /// The name and the good text of the file that was written last.
    good: Mutex<Option<(String, Vec<u8>)>>,
}

async fn folder() -> Folder {
    Folder { home: Installation::new(), good: Mutex::default() }
}

fn name(stream: &StreamSpec) -> String {
    match stream.name.as_str() {
        "zipped" => "data/zipped.jsonl.gz".to_owned(),
        "nested" => "data/nested.json".to_owned(),
        "table" => "data/table.csv".to_owned(),
        other => format!("data/{other}"),
    }
}

fn text(stream: &StreamSpec, n: usize) -> Vec<u8> {
    let rows: Vec<String> =
        (0..n).map(|i| format!("{{\"id\":{i},\"no\":\"单{i}\",\"lines\":[{{\"qty\":0.10}}]}}")).collect();
    match stream.name.as_str() {
        "zipped" => {
            use std::io::Write as _;
            let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            for row in rows {
                writeln!(gz, "{row}").unwrap();
            }
            gz.finish().unwrap()
        }
        "nested" => {
            let (head, tail) = rows.split_at(n / 2);
            format!("[{{\"list\":[{}]}},\n{{\"list\":[{}]}}]", head.join(","), tail.join(",\n")).into()
        }
        _ => {
            let mut csv = "id,no,lines\n".to_owned();
            for i in 0..n {
                writeln!(csv, "{i},\"单\n{i}\",1").unwrap();
            }
            csv.into()
        }
    }
}

#[async_trait]
impl Vendor for Folder {
    fn settings(&self) -> toml::Table {
        toml::from_str(
            "folder = 'data'\n\
             [[streams]]\nname = 'zipped'\npath = 'zipped.jsonl.gz'\nkey = ['id']\nnumber = 'no'\n\
             [[streams]]\nname = 'nested'\npath = 'nested.json'\nkey = ['id']\nrecords = '[*].list[*]'\n\
             [[streams]]\nname = 'table'\npath = 'table.csv'\nkey = ['id']\nnumber = 'no'\ncsv = { delimiter = ',' }\n\
             [[targets]]\nname = 'out'\npath = 'out.csv'\ncsv = { bom = true }",
        )
        .unwrap()
    }

    fn folder(&self) -> PathBuf {
        self.home.path("")
    }

    fn secrets(&self) -> Vec<String> {
        Vec::new()
    }

    async fn holds(&self, _: &Arc<TestClock>, stream: &StreamSpec, load: Load) -> Option<Scene> {
        let n_records = match load {
            Load::Empty => 0,
            Load::One => 1,
            Load::Several => 3,
            Load::FullPage => 4,
            Load::FullPageAndOne => 5,
        };
        // `check` looks at all of them.
        let account = self.home.open(&self.settings().to_string()).unwrap();
        for other in account.source.unwrap().streams() {
            self.home.put(&name(other), text(other, 1));
        }
        let bytes = text(stream, n_records);
        self.home.put(&name(stream), &bytes);
        *self.good.lock().unwrap() = Some((name(stream), bytes));
        Some(Scene { slice: Slice::default(), size: 4, n_records })
    }

    fn fails(&self, stream: &StreamSpec, failure: Failure, strike: Strike) -> bool {
        assert_eq!(strike, Strike::Always);
        let good = text(stream, 3);
        let bad = match failure {
            Failure::Html => b"<!DOCTYPE html>\n<html></html>\n".to_vec(),
            Failure::EmptyBody => Vec::new(),
            // Within the last row: a CSV that is cut at the end of a row is whole, as far as anyone can tell.
            Failure::Truncated => good[..good.len() - 4].to_vec(),
            _ => return false,
        };
        self.home.put(&name(stream), bad);
        true
    }

    fn mends(&self) {
        if let Some((name, good)) = &*self.good.lock().unwrap() {
            self.home.put(name, good);
        }
    }

    fn n_calls(&self) -> u64 {
        0
    }
}

#[tokio::test]
async fn conforms() {
    conformance::check("file", folder, &[]).await;
}
