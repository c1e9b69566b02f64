//! `milkrun demo --flow NAME`: one flow between two simulated vendors, and what arrived at the second.

use std::fs;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use milkrun_core::{Result, Secret};
use milkrun_engine::Work;
use milkrun_store::MasterKey;

use super::super::init::{at, make_dir};
use super::super::run::{conclude, run_flows};
use super::super::sandbox::{Setting, Simulated, Vendor, Wanted};
use super::super::{Here, Outcome};
use super::{MARK, days_before};
use crate::cli;
use crate::config::{FILE, KEY_FILE};
use crate::text::{self, File, fill};

/// A flow to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Scene {
    Purchase,
    Sales,
    Stock,
    Clients,
}

/// How far back the simulated documents reach, and a little more.
const DAYS: i64 = 40;

impl Scene {
    fn name(self) -> &'static str {
        match self {
            Self::Purchase => "purchase",
            Self::Sales => "sales",
            Self::Stock => "stock",
            Self::Clients => "clients",
        }
    }

    fn file(self) -> File {
        match self {
            Self::Purchase => text::DEMO_PURCHASE,
            Self::Sales => text::DEMO_SALES,
            Self::Stock => text::DEMO_STOCK,
            Self::Clients => text::DEMO_CLIENTS,
        }
    }

    /// The vendors that take part; the last one is written to, if any is.
    fn vendors(self) -> &'static [Vendor] {
        match self {
            Self::Purchase => &[Vendor::Kuaimai, Vendor::YonyouMdd],
            Self::Sales => &[Vendor::Jushuitan, Vendor::ChanjetTplus],
            Self::Stock => &[Vendor::ChanjetTplus],
            Self::Clients => &[Vendor::Qeasy],
        }
    }

    /// What the simulator calls the documents that arrive.
    fn received(self) -> Option<&'static str> {
        match self {
            Self::Purchase => Some("purchase-order"),
            Self::Sales => Some("saleDelivery"),
            Self::Stock => None,
            Self::Clients => Some("sink"),
        }
    }
}

/// Plays a scene in a folder that is empty.
pub(super) async fn play(here: Here<'_>, scene: Scene, ask: &cli::Demo, dir: &Path) -> Outcome {
    let out = here.out;
    let lang = out.lang;
    let wanted = Wanted {
        seed: ask.seed,
        port: 0,
        n_orders: ask.orders.min(MOST),
        n_items: ask.items.min(MOST),
        n_documents: ask.orders.min(MOST),
        limits: None,
        latency: Duration::ZERO,
        jitter: Duration::ZERO,
        faults: Vec::new(),
    };
    let mut vendors = Vec::new();
    for vendor in scene.vendors() {
        let simulated = vendor.start(&wanted).await?;
        out.note(fill!(lang, text::SANDBOX_RUNS, vendor = vendor.title(lang), url = simulated.sandbox.url()));
        vendors.push(simulated);
    }
    make_dir(&dir.join("flows"))?;
    let put = |name: &str, text: String| {
        let path = dir.join(name);
        fs::write(&path, text).map_err(|e| at(e, &path))
    };
    put(FILE, format!("{MARK}\n{}", accounts(scene, &vendors)))?;
    let since = days_before(Timestamp::now(), DAYS);
    let flow = format!("flows/{}.toml", scene.name());
    put(&flow, lang.file(scene.file(), &[("since", &since)]))?;
    if scene == Scene::Clients {
        make_dir(&dir.join("in"))?;
        put("in/clients.json", client_lists(wanted.n_documents))?;
    }
    MasterKey::create_file(&dir.join(KEY_FILE))?;
    out.note(fill!(lang, text::SCENE_WRITTEN, dir = dir.display(), flow = flow));
    keep_secrets(here, dir, &vendors).await?;
    let mut ready = here.ready(&[scene.name().to_owned()], dir).await?;
    let flows = ready.flows()?;
    let ended = run_flows(here, &flows, &ready.state, &Work::Due).await;
    let code = conclude(out, &ended);
    if let (Some(target), Some(last)) = (scene.received(), vendors.last()) {
        show_received(here, last, target);
    }
    for simulated in vendors {
        simulated.sandbox.stop().await;
    }
    Ok(code)
}

/// The most documents: the vendors' limits make more of them slow.
const MOST: u32 = 40;

/// What arrived, as the simulator counts it: a double would show.
fn show_received(here: Here<'_>, simulated: &Simulated, target: &str) {
    let received = simulated.sandbox.control().received(target).unwrap_or_default();
    let n_documents: usize = received.iter().map(|one| one.ids.len()).sum();
    let n_doubled = received.iter().filter(|one| one.ids.len() > 1).count();
    let calls: u32 = received.iter().map(|one| one.calls).sum();
    let (out, vendor) = (here.out, simulated.vendor.title(here.out.lang));
    out.line("");
    out.line(fill!(
        out.lang,
        text::SCENE_RECEIVED,
        vendor = vendor,
        keys = received.len(),
        documents = n_documents,
        doubled = n_doubled,
        calls = calls
    ));
}

/// The accounts of a scene.
fn accounts(scene: Scene, vendors: &[Simulated]) -> String {
    let in_vault = |simulated: &Simulated| {
        let name = simulated.vendor.account();
        simulated.account(name, |setting| {
            if setting.is_secret() {
                format!("{{ vault = \"{}\" }}", secret_name(simulated, setting))
            } else {
                setting.inline()
            }
        })
    };
    match scene {
        Scene::Purchase | Scene::Sales => vendors.iter().map(in_vault).collect::<Vec<_>>().join("\n"),
        Scene::Stock => {
            let kept = "[accounts.kept]\nconnector = \"qeasy\"\nnoop = {}\n";
            format!("{}\n{kept}", vendors.iter().map(in_vault).collect::<Vec<_>>().join("\n"))
        }
        Scene::Clients => vendors.iter().map(api).collect(),
    }
}

fn secret_name(simulated: &Simulated, setting: &Setting) -> String {
    format!("{}-{}", simulated.vendor.account(), setting.key.replace('_', "-"))
}

/// A vendor that no connector knows, by settings alone: here the interface of 轻易云 for storing records.
fn api(simulated: &Simulated) -> String {
    let settings = milkrun_sandbox::qeasy::Settings::default();
    let url = simulated.sandbox.url();
    format!(
        r#"# Clients in nested lists: one record for each element of each `ClientList`.
[accounts.lists]
connector = "file"
folder = "in"

[[accounts.lists.streams]]
name = "clients"
path = "clients.json"
records = "[*].ClientList[*]"
key = ["ClientNo"]

# An interface described by settings alone.
[accounts.api]
connector = "http"
base_url = "{url}"
answer = {{ success = "code", success_values = [0, "0"], message = "message", codes = {{ token = [40002, 40003], throttled = [40029] }} }}

[accounts.api.auth.login]
path = "/v2/oauth"
fields = {{ app_key = {{ vault = "api-app-key" }}, app_secret = {{ vault = "api-app-secret" }} }}
token = "content.access_token"
expires_in = "content.expires_in"
put = {{ query = "access_token" }}

[[accounts.api.targets]]
name = "clients"
path = "/v2/open-api/business/{scheme}/store"
wrap = "content"
as_list = true
body = {{ id = 1, multiple = true, idCheck = false }}
idempotency = {{ kind = "upsert", field = "id" }}
"#,
        scheme = settings.sink_scheme,
    )
}

/// A file as an accounting system exports it: companies with their clients.
fn client_lists(n: u32) -> String {
    let mut companies = Vec::new();
    for company in 0..n.div_ceil(5) {
        let clients: Vec<_> = (company * 5..n.min(company * 5 + 5))
            .map(|i| {
                let tax = if i % 3 == 0 { "null".to_owned() } else { format!("\"91310000MA1FL{i:05}\"") };
                format!(
                    "{{\"ClientNo\":\"C{i:04}\",\"ClientName\":\" 客户{i} \",\"TaxNo\":{tax},\"CreditLimit\":1{i}0.50}}"
                )
            })
            .collect();
        companies.push(format!("{{\"Company\":\"{company:02}\",\"ClientList\":[{}]}}", clients.join(",")));
    }
    format!("[{}]\n", companies.join(",\n "))
}

/// Puts the simulators' secrets where real ones belong.
async fn keep_secrets(here: Here<'_>, dir: &Path, vendors: &[Simulated]) -> Result<()> {
    let (installation, _) = crate::config::load(dir, here.out.lang)?;
    let state = crate::wiring::open_state(&installation, here.environment, here.out.lang).await?;
    let of_vendors = vendors.iter().flat_map(|simulated| {
        let secrets = simulated.settings.iter().filter(|setting| setting.is_secret());
        secrets.map(|setting| (secret_name(simulated, setting), setting.value.clone()))
    });
    let api = milkrun_sandbox::qeasy::Settings::default();
    let of_api = [("api-app-key".to_owned(), api.app_key), ("api-app-secret".to_owned(), api.app_secret)];
    let wanted = vendors.iter().any(|simulated| simulated.vendor == Vendor::Qeasy);
    for (name, secret) in of_vendors.chain(of_api.into_iter().filter(|_| wanted)) {
        state.store.put_secret(&name, &Secret::new(secret)).await?;
    }
    Ok(())
}
