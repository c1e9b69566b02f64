//! Inserting and updating one document.

use super::entity::{Entity, Interface};
use super::problem::{Problem, refuse};
use super::settings::Settings;
use super::store::{Doc, Store};
use super::world;
use crate::beijing;
use crate::tree::Tree;

/// Fields of a body that never become fields of the document.
const NOT_STORED: [&str; 5] = ["_status", "resubmitCheckKey", "businessId", "id", "pubts"];
const CREATOR: i64 = 2_067_791_299_891_456;
const TENANT: i64 = 2_067_791_299_383_552;

/// A document that was written.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub(crate) id: i64,
    /// Whether it is a new one.
    pub(crate) created: bool,
    /// The complete object.
    pub(crate) data: Tree,
}

/// Writes one document as its `_status` says.
///
/// # Errors
/// `999` for a missing or wrong `_status`, a missing required field, a line that does not fit, or another `pubts` than
/// the document's; `1002` for an unknown `id`. Nothing is changed then.
pub(crate) fn write(
    store: &mut Store,
    settings: &Settings,
    interface: &Interface<'_>,
    sent: &Tree,
    now_ms: i64,
) -> Result<Written, Problem> {
    if sent.members().is_none() {
        return Err(refuse("310008", "a document is no object"));
    }
    let orders = interface.path.starts_with("/yonbip/scm/") || interface.path.starts_with("/yonbip/sd/");
    match sent.get("_status") {
        None if orders => Err(refuse("999", "_status不能为空")),
        None => insert(store, settings, interface, sent, now_ms),
        Some(Tree::Text(status)) if status == "Insert" => insert(store, settings, interface, sent, now_ms),
        Some(Tree::Text(status)) if status == "Update" => update(store, settings, interface.entity, sent, now_ms),
        Some(_) => Err(refuse("999", "_status invalid")),
    }
}

fn insert(
    store: &mut Store,
    settings: &Settings,
    interface: &Interface<'_>,
    sent: &Tree,
    now_ms: i64,
) -> Result<Written, Problem> {
    for &field in interface.required {
        let empty = match sent.get(field) {
            None | Some(Tree::Null) => true,
            Some(Tree::Text(text)) => text.is_empty(),
            Some(Tree::List(items)) => items.is_empty(),
            Some(_) => false,
        };
        if empty {
            return Err(refuse("999", format!("{field}不能为空")));
        }
    }
    let members = sent.members().unwrap_or_default();
    for (_, value) in members {
        for line in value.as_list().unwrap_or_default() {
            if line.get("_status").is_some_and(|status| status.as_text() != Some("Insert")) {
                return Err(refuse("999", "a line of a new document has another _status than Insert"));
            }
        }
    }
    let pubts = Tree::text(beijing::format(now_ms));
    let (id, own) = store.new_id();
    let generated = format!("{}{}", interface.entity.facts().prefix, day_and_number(now_ms, store.made()));
    let code =
        sent.get("code").and_then(Tree::as_text).filter(|code| !code.is_empty()).map_or(generated, str::to_owned);
    let mut tree = Tree::object([("id", own.clone()), ("code", Tree::text(code))]);
    for (name, value) in members.iter().filter(|(name, _)| !NOT_STORED.contains(&name.as_str()) && name != "code") {
        tree.set(
            name,
            match value {
                Tree::List(lines) => Tree::List(lines.iter().map(|line| new_line(store, line, &own, &pubts)).collect()),
                Tree::Object(_) if name == "headItem" => {
                    let mut item = Tree::object([("id", own.clone())]);
                    for (name, value) in value.members().unwrap_or_default() {
                        item.set(name, value.clone());
                    }
                    item.set("pubts", pubts.clone());
                    item
                }
                other => other.clone(),
            },
        );
    }
    tree.set("pubts", pubts);
    tree.set("creatorId", world::id(settings.ids, CREATOR));
    tree.set("tenant", world::id(settings.ids, TENANT));
    store.insert(interface.entity, Doc { id, modified: now_ms, version: 0, tree: tree.clone() });
    Ok(Written { id, created: true, data: tree })
}

/// A line as it is stored; what is no object stays as it is.
fn new_line(store: &mut Store, line: &Tree, main: &Tree, pubts: &Tree) -> Tree {
    let Some(members) = line.members() else { return line.clone() };
    let mut tree = Tree::object([("id", store.new_id().1), ("mainid", main.clone())]);
    for (name, value) in members.iter().filter(|(name, _)| !NOT_STORED.contains(&name.as_str())) {
        tree.set(
            name,
            match value {
                Tree::List(parts) => {
                    let own = tree.get("id").cloned().unwrap_or(Tree::Null);
                    Tree::List(parts.iter().map(|part| new_line(store, part, &own, pubts)).collect())
                }
                other => other.clone(),
            },
        );
    }
    tree.set("pubts", pubts.clone());
    tree
}

fn update(
    store: &mut Store,
    settings: &Settings,
    entity: Entity,
    sent: &Tree,
    now_ms: i64,
) -> Result<Written, Problem> {
    let id = sent.get("id").and_then(Tree::scalar).ok_or_else(|| refuse("999", "id不能为空"))?.to_owned();
    let doc = store.find(entity, &id).ok_or_else(|| refuse("1002", format!("单据[{id}]不存在")))?;
    let current = doc.tree.get("pubts").and_then(Tree::as_text);
    match sent.get("pubts").and_then(Tree::as_text) {
        None if settings.pubts_required => return Err(refuse("999", "pubts不能为空")),
        Some(pubts) if Some(pubts) != current => return Err(refuse("999", "单据已被他人修改,请刷新后重试")),
        _ => {}
    }
    let mut tree = doc.tree.clone();
    let own = tree.get("id").cloned().unwrap_or(Tree::Null);
    let pubts = Tree::text(beijing::format(now_ms));
    for (name, value) in sent.members().unwrap_or_default() {
        if NOT_STORED.contains(&name.as_str()) {
            continue;
        }
        if let Tree::List(lines) = value {
            let known = tree.get(name).and_then(Tree::as_list).unwrap_or_default().to_vec();
            tree.set(name, Tree::List(merge_lines(store, known, lines, &own, &pubts)?));
        } else {
            tree.set(name, value.clone());
        }
    }
    let doc = store.find_mut(entity, &id).ok_or_else(|| refuse("1002", "not found"))?;
    doc.tree = tree;
    doc.modify(now_ms);
    Ok(Written { id: doc.id, created: false, data: doc.tree.clone() })
}

/// Lines after an update: each line sent says what becomes of it, those not sent stay.
fn merge_lines(
    store: &mut Store,
    mut known: Vec<Tree>,
    sent: &[Tree],
    main: &Tree,
    pubts: &Tree,
) -> Result<Vec<Tree>, Problem> {
    for line in sent {
        let status = line.get("_status").and_then(Tree::as_text);
        if status == Some("Insert") {
            known.push(new_line(store, line, main, pubts));
            continue;
        }
        let id = line.get("id").and_then(Tree::scalar);
        let place = known.iter().position(|other| id.is_some() && other.get("id").and_then(Tree::scalar) == id);
        let place = place.ok_or_else(|| refuse("999", "a line has no known id"))?;
        match status {
            Some("Unchanged") => {}
            Some("Delete") => {
                known.remove(place);
            }
            Some("Update") => {
                for (name, value) in line.members().unwrap_or_default() {
                    if !NOT_STORED.contains(&name.as_str()) {
                        known[place].set(name, value.clone());
                    }
                }
                known[place].set("pubts", pubts.clone());
            }
            _ => return Err(refuse("999", "_status of a line invalid")),
        }
    }
    Ok(known)
}

fn day_and_number(now_ms: i64, number: i64) -> String {
    let day: String = beijing::format(now_ms).chars().take(10).filter(|&c| c != '-').collect();
    format!("{day}{number:06}")
}
