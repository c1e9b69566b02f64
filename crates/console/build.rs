//! Lists the files of the built page, so that they become a part of the program.
//!
//! The page is built by `npm run build` in `web/` and its result is committed, so that building Milkrun needs no Node.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let dist = root.join("web/dist");
    println!("cargo::rerun-if-changed=build.rs");
    // Of a folder that is not there, the one around it: a page that is built later has to be seen.
    println!("cargo::rerun-if-changed={}", if dist.is_dir() { dist.display() } else { root.display() });
    let mut files = BTreeMap::new();
    if dist.join("index.html").is_file() || dist.join("index.html.gz").is_file() {
        list(&dist, &dist, &mut files)?;
    }
    let mut table = String::from("&[\n");
    for (name, path) in &files {
        // The compressed form is enough: whoever cannot take it gets it unpacked.
        if files.contains_key(&format!("{name}.gz")) {
            continue;
        }
        writeln!(table, "    ({name:?}, include_bytes!({:?})),", path.display().to_string()).expect("memory takes it");
    }
    table.push_str("]\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join("page.rs"), table)
}

fn list(dist: &Path, folder: &Path, files: &mut BTreeMap<String, PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list(dist, &path, files)?;
        } else {
            let name = path.strip_prefix(dist).expect("it is within").to_string_lossy().replace('\\', "/");
            files.insert(name, path);
        }
    }
    Ok(())
}
