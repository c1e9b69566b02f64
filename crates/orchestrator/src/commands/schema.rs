//! `milkrun schema`: what editors need to complete the files.

use super::Here;
use crate::cli::SchemaOf;
use crate::config::{flow_schema, installation_schema};

pub(super) fn schema(here: Here<'_>, of: SchemaOf) -> u8 {
    let schema = match of {
        SchemaOf::Flow => flow_schema(here.out.lang),
        SchemaOf::Installation => installation_schema(&milkrun_core::connectors(), here.out.lang),
    };
    here.out.print(&serde_json::to_string_pretty(&schema).expect("it is plain data"));
    0
}
