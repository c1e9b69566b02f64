//! Settings that are left out, made up, or spoilt.

use milkrun_core::ErrorKind;
use serde_json::Value as Json;
use toml::{Table, Value};

use super::Stop;
use super::surroundings::{Stage, shown};
use super::walk::ensure;

/// A name that no connector has.
const UNKNOWN: &str = "colour_of_the_moon";

/// One table of the settings, by the steps that lead to it, with its schema.
struct Level {
    steps: Vec<Step>,
    schema: Json,
}

#[derive(Clone)]
enum Step {
    Name(String),
    Index(usize),
}

/// Each required setting is left out in turn.
pub(crate) fn required(stage: &Stage) -> Result<(), Stop> {
    let settings = stage.vendor.settings();
    let mut n_required = 0;
    for Level { steps, schema } in levels(stage, &settings) {
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str) {
            n_required += 1;
            let mut without = settings.clone();
            let removed = table(&mut without, &steps).remove(name);
            ensure(removed.is_some(), || format!("the vendor's settings have no `{name}`, which the schema requires"))?;
            refused_by_name(stage, without, name)?;
        }
    }
    if n_required == 0 { Err(Stop::NotApplicable) } else { Ok(()) }
}

/// A setting that does not exist is added at each level in turn.
pub(crate) fn unknown(stage: &Stage) -> Result<(), Stop> {
    let settings = stage.vendor.settings();
    for Level { steps, .. } in levels(stage, &settings) {
        let mut with = settings.clone();
        table(&mut with, &steps).insert(UNKNOWN.to_owned(), Value::Integer(1));
        refused_by_name(stage, with, UNKNOWN)?;
    }
    Ok(())
}

/// Opens accounts with spoilt secrets; what they say is looked through afterwards.
pub(crate) fn spoilt(stage: &Stage) {
    let settings = stage.vendor.settings();
    let secrets = stage.vendor.secrets();
    for (name, value) in &settings {
        let Some(text) = value.as_str().filter(|text| secrets.iter().any(|secret| secret == text)) else { continue };
        let spoilt = [
            Value::String(format!("{text}\n")),
            Value::String(format!("{text} {text}")),
            Value::Array(vec![Value::String(text.to_owned())]),
            Value::Table(Table::from_iter([("text".to_owned(), Value::String(text.to_owned()))])),
        ];
        for value in spoilt {
            let mut settings = settings.clone();
            settings.insert(name.clone(), value);
            if let Ok(account) = stage.account(settings) {
                stage.transcript.note(&format!("{account:?}"));
            }
        }
    }
}

fn refused_by_name(stage: &Stage, settings: Table, name: &str) -> Result<(), Stop> {
    match stage.account(settings) {
        Ok(_) => Err(Stop::Failed(format!("the account opens in spite of `{name}`"))),
        Err(error) => {
            let is_config = error.kind() == ErrorKind::ConfigInvalid;
            ensure(is_config && shown(&error).contains(name), || {
                format!("`{name}` is not what the error is about: {}", shown(&error))
            })
        }
    }
}

/// All tables of the settings that the schema describes.
fn levels(stage: &Stage, settings: &Table) -> Vec<Level> {
    let root = (stage.spec.schema)().to_value();
    let mut levels = Vec::new();
    find(&root, &root, &Value::Table(settings.clone()), Vec::new(), &mut levels);
    levels
}

fn find(root: &Json, schema: &Json, value: &Value, steps: Vec<Step>, levels: &mut Vec<Level>) {
    let schema = resolve(root, schema);
    let step = |step| steps.iter().cloned().chain([step]).collect();
    match value {
        Value::Table(fields) if schema["properties"].is_object() => {
            for (name, value) in fields {
                find(root, &schema["properties"][name], value, step(Step::Name(name.clone())), levels);
            }
            levels.push(Level { schema: schema.clone(), steps });
        }
        Value::Array(elements) => {
            for (i, element) in elements.iter().enumerate() {
                find(root, &schema["items"], element, step(Step::Index(i)), levels);
            }
        }
        _ => {}
    }
}

/// The schema that a reference points to; of an optional value, that of the value.
fn resolve<'a>(root: &'a Json, schema: &'a Json) -> &'a Json {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/")) {
        return resolve(root, &root["$defs"][name]);
    }
    let reference = schema["anyOf"].as_array().into_iter().flatten().find(|choice| choice["$ref"].is_string());
    reference.map_or(schema, |reference| resolve(root, reference))
}

fn table<'a>(settings: &'a mut Table, steps: &[Step]) -> &'a mut Table {
    let Some((Step::Name(first), rest)) = steps.split_first() else { return settings };
    let mut value = settings.get_mut(first).expect("the step was found in these settings");
    for step in rest {
        value = match step {
            Step::Name(name) => value.get_mut(name.as_str()),
            Step::Index(i) => value.get_mut(*i),
        }
        .expect("the step was found in these settings");
    }
    value.as_table_mut().expect("the steps lead to a table")
}
