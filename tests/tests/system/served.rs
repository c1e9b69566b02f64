//! Every stream that a connector has by itself is served by the vendor's simulator, end to end, and so is the flow that
//! `init` writes for it.

use jiff::SignedDuration;
use milkrun_core::{ConnectorSpec, connectors};
use milkrun_sandbox::{kuaimai, yonyou};

use crate::init::example_flow;
use crate::milkrun::side_by_side;
use crate::promises::{ACCESS, APP, REFRESH, place, start_jushuitan, start_tplus, start_yonyou};
use crate::simulator::Simulator;
use crate::vendor::{DAY, floor};

/// A simulator with a little of everything, and the account it has.
fn start(connector: &str) -> (Simulator, String) {
    match connector {
        "chanjet-tplus" => start_tplus(|settings| {
            settings.n_inventory = 6;
            settings.n_vouchers = 4;
        }),
        "jushuitan" => start_jushuitan(|settings| {
            settings.n_orders = 30;
            settings.n_items = 6;
            settings.n_documents = 6;
        }),
        "kuaimai" => start_kuaimai(),
        "yonyou-mdd" => {
            start_yonyou(yonyou::Settings { n_documents: 4, history: DAY / 2, ..yonyou::Settings::default() })
        }
        other => panic!("`{other}` has streams of its own: start its simulator here"),
    }
}

fn start_kuaimai() -> (Simulator, String) {
    let settings = kuaimai::Settings {
        n_orders: 1_000,
        n_items: 100,
        n_documents: 1_000,
        app_secret: APP.to_owned(),
        session: ACCESS.to_owned(),
        refresh_token: REFRESH.to_owned(),
        limits: Vec::new(),
        history: 100 * DAY,
        ..kuaimai::Settings::default()
    };
    let vendor = Simulator::kuaimai(settings.clone());
    let account = format!(
        "connector = \"kuaimai\"\nbase_url = \"{}\"\napp_key = \"{}\"\nquota = []\napp_secret = {{ env = \"APP\" }}\n\
         session = {{ env = \"ACCESS\" }}\nrefresh_token = {{ env = \"REFRESH\" }}\n",
        vendor.url, settings.app_key
    );
    (vendor, account)
}

/// The name of the flow that `init` wrote.
const EXAMPLE: &str = "example-of-init";

/// The flow that `init` writes, for the account of this installation and the days that the simulator has.
fn example(spec: &ConnectorSpec, vendor: &Simulator) -> String {
    let flow = example_flow(spec.name);
    let mut table: toml::Table = flow.parse().unwrap();
    table["source"]["account"] = "it".into();
    table["sink"]["target"] = EXAMPLE.into();
    if let Some(since) = table["source"].get_mut("since") {
        *since = floor(vendor.control.now() - SignedDuration::try_from(10 * DAY).unwrap()).to_string().into();
    }
    table.to_string()
}

#[test]
fn every_stream_of_every_connector_is_served_by_its_simulator() {
    let with_streams = connectors().into_iter().filter(|spec| !(spec.streams)().is_empty());
    side_by_side(with_streams.collect::<Vec<_>>(), read_all);
}

fn read_all(spec: &ConnectorSpec) {
    let (vendor, account) = start(spec.name);
    let place = place(&vendor, &account);
    let streams = (spec.streams)();
    for stream in &streams {
        // Archives hold only what is older.
        let since = stream.window.as_ref().map(|window| {
            let reach = SignedDuration::try_from(window.settle + 10 * DAY).unwrap();
            format!("since = \"{}\"\n", floor(vendor.control.now() - reach))
        });
        let since = since.unwrap_or_default();
        let name = &stream.name;
        let text = format!(
            "[source]\naccount = \"it\"\nstream = \"{name}\"\n{since}[sink]\naccount = \"files\"\ntarget = \"{name}\"\n"
        );
        place.flow(name, &text);
    }
    place.flow(EXAMPLE, &example(spec, &vendor));
    let ended = place.milkrun(&["run", "--all", "--json"]);
    let report = ended.json();
    let flows = report["flows"].as_array().unwrap();
    assert_eq!(flows.len(), streams.len() + 1, "{}: {ended}", spec.name);
    let wrong: Vec<String> = flows
        .iter()
        .filter(|flow| flow["verdict"] != "reconciled" || flow["counts"]["documents"] == 0)
        .map(|flow| format!("{}/{}: {} {}", spec.name, flow["flow"], flow["verdict"], flow["counts"]))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    ended.with(0);
}
