//! How a text becomes the file of a flow: only over the file it was made from, only without mistakes, all or nothing.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use milkrun_console::model::{MappingDraft, Saved};
use milkrun_core::diagnostic::Diagnostics;
use milkrun_core::{Error, Result};
use xxhash_rust::xxh3::xxh3_128;

use super::{moved, try_text};
use crate::serve::House;
use crate::text::{self, Lang, fill};

/// Names a file by what it holds.
pub(crate) fn revision(text: &str) -> String {
    format!("{:032x}", xxh3_128(text.as_bytes()))
}

/// The text of a flow's file.
pub(super) fn read(house: &House, flow: &str, lang: Lang) -> Result<String> {
    // A name that is not one of the listed files leads nowhere, whatever it holds.
    house.loaded().require_file(flow, lang)?;
    let path = house.flow_file(flow);
    fs::read_to_string(&path).map_err(|e| Error::from(e).with("file", path.display()))
}

/// Saves a text as the flow's file, which is used from then on.
///
/// # Errors
/// [`ErrorKind::Busy`](milkrun_core::ErrorKind::Busy) if the file has changed meanwhile, and the mistakes of the text.
pub(in crate::desk) async fn save(house: &Arc<House>, flow: &str, draft: &MappingDraft, lang: Lang) -> Result<Saved> {
    let _alone = house.writing.lock().await;
    if revision(&read(house, flow, lang)?) != draft.revision {
        return Err(moved(flow, lang));
    }
    let tried = try_text(house, flow, &draft.text, lang).await?;
    let [own, _] = tried.reports.of_flow(&house.dir, flow);
    if tried.flow.is_none() || !own.is_empty() {
        // What is wrong elsewhere matters only if nothing is wrong here.
        return Err(mistakes_of(if own.is_empty() { tried.reports.mistakes() } else { own }, flow, lang));
    }
    put(&house.flow_file(flow), &draft.text)?;
    house.look_at_files().await?;
    Ok(Saved { revision: revision(&draft.text) })
}

/// The mistakes that keep a text from being saved.
fn mistakes_of(found: Vec<Diagnostics>, flow: &str, lang: Lang) -> Error {
    let own = found.into_iter().next();
    own.map_or_else(|| Error::config(fill!(lang, text::FLOW_HAS_MISTAKES, flow = flow)), Error::from)
        .advise(lang.say(text::MEND_TEXT))
}

/// Writes a file anew: whoever reads it meanwhile, or after a crash, has the old text or the new one.
pub(crate) fn put(path: &Path, text: &str) -> Result<()> {
    let at = |e: std::io::Error| Error::from(e).with("file", path.display());
    // A link stays one, and what it leads to is written.
    let path = fs::canonicalize(path).map_err(at)?;
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let new = path.with_file_name(format!(".{name}.new"));
    let write = || {
        let mut file = fs::File::create(&new)?;
        file.set_permissions(fs::metadata(&path)?.permissions())?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, &path)
    };
    write().map_err(|e| {
        // Of two errors, the first one says why.
        let _ = fs::remove_file(&new);
        at(e)
    })
}
