//! What the registry shows of the connector.

use milkrun_core::{Idempotency, connector};

use crate::support::Installation;

#[test]
fn the_example_opens() {
    let spec = connector("file").unwrap();
    let example: toml::Table = spec.example.parse().unwrap();
    let mut settings = example["accounts"]["files"].as_table().unwrap().clone();
    assert_eq!(settings.remove("connector").unwrap().as_str(), Some("file"));
    let account = Installation::new().open(&settings.to_string()).unwrap();
    assert_eq!(account.source.unwrap().streams()[0].endpoint, "data/in/*.json");
}

#[test]
fn targets_promise_exactly_once() {
    let account = Installation::new().open("targets = [{ name = 't', path = 'x.json' }]").unwrap();
    assert!(account.source.is_none() && account.protocol.is_none() && account.tokens.is_none());
    let targets = account.sink.as_ref().unwrap().targets();
    assert!(targets.iter().all(|t| t.idempotency == Idempotency::CommittedLength));
    assert_eq!(targets[0].name, "t");
}

#[test]
fn every_setting_is_described() {
    fn check(name: &str, schema: &serde_json::Value) {
        for (setting, value) in schema["properties"].as_object().into_iter().flatten() {
            assert!(value.get("description").is_some(), "{name}.{setting}");
        }
        assert_eq!(schema["additionalProperties"], false, "{name}");
    }
    let schema = (connector("file").unwrap().schema)().to_value();
    check("FileConfig", &schema);
    for name in ["StreamConfig", "TargetConfig", "CsvConfig"] {
        check(name, &schema["$defs"][name]);
    }
}
