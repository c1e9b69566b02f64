//! The console's API under requests made from its own description: nothing that anybody sends may make the server fail.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::installation::{remove, scratch};
use crate::process::Running;
use crate::{Result, shell};

/// The program that makes the requests.
pub(crate) const PROGRAM: &str = "schemathesis";

/// An access token of nothing but this.
const TOKEN: &str = "only-for-requests-of-this-machine";

/// What the installation consists of: a flow with records that are good, and some that are not.
const FILES: [(&str, &str); 4] = [
    (
        "milkrun.toml",
        "[accounts.source]\nconnector = \"file\"\n\n[[accounts.source.streams]]\nname = \"items\"\npath = \"items.json\"\n\
         key = [\"id\"]\n\n[accounts.files]\nconnector = \"file\"\nfolder = \"out\"\n\n[console.tokens.ci]\n\
         role = \"operator\"\ntoken = { env = \"API_TOKEN\" }\n",
    ),
    (
        "flows/items.toml",
        "[source]\naccount = \"source\"\nstream = \"items\"\n\n[sink]\naccount = \"files\"\ntarget = \"items\"\n\n\
         [mapping.fields]\nsku = { from = \"code\", required = true }\nname = \"name\"\n",
    ),
    ("items.json", "[{\"id\": 1, \"code\": \"A-1\", \"name\": \"pen\"}, {\"id\": 2, \"name\": \"ink\"}]\n"),
    // Names that are there, so that requests come further than to "there is no such flow".
    (
        "schemathesis.toml",
        "[parameters]\n\"path.flow\" = \"items\"\n\"path.account\" = \"files\"\n\"path.letter\" = 1\n",
    ),
];

/// The address in a line that has one.
fn address(line: &str) -> Option<String> {
    let rest = &line[line.find("http://")?..];
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || ":/.".contains(c))).unwrap_or(rest.len());
    Some(rest[..end].trim_end_matches('/').to_owned())
}

/// Starts the server on an installation of its own and sends it requests made from its description.
///
/// # Errors
/// If one of them makes the server fail, or an answer is of a kind that the description does not name.
pub(crate) fn try_all(root: &Path, binary: &Path) -> Result {
    let folder = scratch(root, "api")?;
    fs::create_dir_all(folder.join("flows"))?;
    for (name, text) in FILES {
        fs::write(folder.join(name), text)?;
    }
    let milkrun = |arguments: &[&str]| {
        let mut command = Command::new(binary);
        command.arg("--dir").arg(&folder).args(arguments).env("API_TOKEN", TOKEN);
        command
    };
    // One record is refused, so that there is something of everything; that is no failure here.
    milkrun(&["run", "items", "--no-progress", "--json"]).output()?;
    let (server, url) = Running::server(&mut milkrun(&["serve", "--listen", "127.0.0.1:0", "--json"]), address)?;
    let mut requests = Command::new(PROGRAM);
    requests.current_dir(&folder).arg("run").arg(format!("{url}/api/v1/openapi.json"));
    requests.args(["--checks", "not_a_server_error,status_code_conformance,content_type_conformance"]);
    requests.args(["--phases", "examples,coverage,fuzzing", "--max-examples", "20", "--seed", "1"]);
    // The one answer that never ends.
    requests.args(["--exclude-path", "/api/v1/events"]);
    requests.args(["--header", &format!("Authorization: Bearer {TOKEN}")]);
    shell::run(&mut requests)?;
    drop(server);
    remove(&folder)
}
