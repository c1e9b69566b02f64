//! The saves: idempotent ones, those of one object without a key, and batches of rows, sections 5 and 6 of the page.

use super::entity::{Entity, Interface};
use super::mdd::{Keys, Known, Made};
use super::problem::{Problem, refuse};
use super::settings::{AfterTimeout, BatchShape, Counter, Infos, KeyPlace, Messages, MixedArray, Settings};
use super::store::Store;
use super::token::millis;
use super::world;
use super::write::{Written, write};
use crate::dice::Dice;
use crate::tree::Tree;
use crate::vendor::Moment;

/// Longest key.
const KEY_LEN: usize = 32;

/// What a save needs.
pub(crate) struct Desk<'a> {
    pub(crate) store: &'a mut Store,
    pub(crate) keys: &'a mut Keys,
    pub(crate) settings: &'a Settings,
    pub(crate) moment: Moment<'a>,
}

impl Desk<'_> {
    /// An idempotent save; gives what `data` holds.
    ///
    /// # Errors
    /// - `310003`/`310008`: the document is not where the interface wants it, or the key is no text of up to 32
    ///   characters.
    /// - `202` while the first call with the key runs; the duplicate code, with the id alone, once the gateway has
    ///   forgotten its answer.
    /// - As [`write`], for a voucher `404` instead.
    pub(crate) fn mdd(&mut self, interface: &Interface<'_>, place: KeyPlace, body: &Tree) -> Result<Tree, Problem> {
        let data = || body.get("data").filter(|data| !data.is_null()).ok_or_else(|| refuse("310003", "data missing"));
        let list = |of: &Tree| of.as_list().map(<[Tree]>::to_vec).ok_or_else(|| refuse("310008", "not an array"));
        match place {
            KeyPlace::Data => self.single(interface, data()?, "resubmitCheckKey"),
            KeyPlace::Top => self.single(interface, body, "resubmitCheckKey"),
            KeyPlace::BusinessId => self.single(interface, body, "businessId").map_err(|problem| {
                let business = ["999", "1002"].contains(&problem.code.as_str());
                if business { Problem { code: "404".to_owned(), ..problem } } else { problem }
            }),
            KeyPlace::DataElements => self.array(interface, &list(data()?)?),
            KeyPlace::TopElements => self.array(interface, &list(body)?),
        }
    }

    fn single(&mut self, interface: &Interface<'_>, sent: &Tree, key_name: &str) -> Result<Tree, Problem> {
        if sent.members().is_none() {
            return Err(refuse("310008", "not an object"));
        }
        let Some(key) = key_of(sent, key_name)? else {
            return self.keyless(interface, sent).map(|written| written.data);
        };
        match self.keys.look(self.settings, interface.path, key, self.moment.now_ms) {
            Known::New => self.first(interface, sent, Some(key)).map(|written| written.data),
            known => {
                self.store.note(interface.entity, key);
                match known {
                    Known::Cached(data) => Ok(data),
                    Known::Duplicate(id) => Err(duplicate(self.settings, Some(self.id_alone(id)))),
                    _ => Err(running()),
                }
            }
        }
    }

    /// The first call with a key, as far as the vendor remembers; or an element whose key nobody looks at.
    fn first(&mut self, interface: &Interface<'_>, sent: &Tree, key: Option<&str>) -> Result<Written, Problem> {
        let Some(key) = key else { return self.keyless(interface, sent) };
        let result = write(self.store, self.settings, interface, sent, self.moment.now_ms);
        let result = result.map(|mut written| {
            if self.settings.echo_key {
                let long = format!("OPENAPI_{}_{}_{key}", api_id(interface.path), self.settings.tenant_id);
                written.data.set("resubmitCheckKey", Tree::text(long));
            }
            written
        });
        self.store.note(interface.entity, key);
        if let Ok(written) = &result {
            self.store.wrote(interface.entity, key, sent, written.created.then_some(written.id));
        }
        let ends_ms = self.moment.now_ms.saturating_add(millis(self.moment.hold));
        let unseen =
            self.moment.hold >= self.settings.gateway_timeout && self.settings.after_timeout == AfterTimeout::IdOnly;
        let made =
            result.as_ref().ok().map(|written| Made { id: written.id, data: (!unseen).then(|| written.data.clone()) });
        self.keys.note(interface.path, key, ends_ms, made);
        result
    }

    /// Writes a document that carries no key, and counts it under its own name.
    fn keyless(&mut self, interface: &Interface<'_>, sent: &Tree) -> Result<Written, Problem> {
        let written = write(self.store, self.settings, interface, sent, self.moment.now_ms)?;
        let given = |name: &str| sent.get(name).and_then(Tree::scalar).filter(|text| !text.is_empty());
        let name =
            given("sourceUnique").or_else(|| given("code")).map_or_else(|| written.id.to_string(), str::to_owned);
        self.store.note(interface.entity, &name);
        self.store.wrote(interface.entity, &name, sent, written.created.then_some(written.id));
        Ok(written)
    }

    fn array(&mut self, interface: &Interface<'_>, rows: &[Tree]) -> Result<Tree, Problem> {
        self.check_rows(rows)?;
        let mut keys: Vec<Option<&str>> = Vec::new();
        for row in rows {
            let key = key_of(row, "resubmitCheckKey")?;
            if key.is_some() && keys.contains(&key) {
                return Err(refuse("310008", "resubmitCheckKey given twice"));
            }
            keys.push(key);
        }
        let look = |key: Option<&str>| {
            key.map_or(Known::New, |key| self.keys.look(self.settings, interface.path, key, self.moment.now_ms))
        };
        let known: Vec<Known> = keys.iter().copied().map(look).collect();
        let n_new = known.iter().filter(|known| **known == Known::New).count();
        let mixed = n_new > 0 && n_new < rows.len();
        let make_all = mixed && self.settings.mixed_array == MixedArray::MakeAll;
        if !make_all {
            for (key, known) in keys.iter().zip(&known) {
                if let (Some(key), true) = (key, *known != Known::New) {
                    self.store.note(interface.entity, key);
                }
            }
            if known.contains(&Known::Running) {
                return Err(running());
            }
            if mixed && self.settings.mixed_array == MixedArray::RefuseAll {
                return Err(duplicate(self.settings, None));
            }
            let ids: Vec<Tree> = known
                .iter()
                .filter_map(|known| if let Known::Duplicate(id) = known { Some(self.id_alone(*id)) } else { None })
                .collect();
            if ids.len() == rows.len() {
                return Err(duplicate(self.settings, Some(Tree::List(ids))));
            }
        }
        let mut outcome = Rows::default();
        for ((row, key), known) in rows.iter().zip(keys).zip(known) {
            let name = key.unwrap_or_default().to_owned();
            match known {
                Known::Cached(data) if !make_all => {
                    outcome.good.push(Good { name, id: Tree::Null, created: false, data });
                }
                Known::Duplicate(id) if !make_all => {
                    let data = self.id_alone(id);
                    outcome.good.push(Good { name, id: Tree::Null, created: false, data });
                }
                _ => match self.first(interface, row, key) {
                    Ok(written) => {
                        let id = written.data.get("id").cloned().unwrap_or(Tree::Null);
                        outcome.good.push(Good { name, id, created: written.created, data: written.data });
                    }
                    Err(problem) => outcome.bad.push((name, problem)),
                },
            }
        }
        let shape = BatchShape { infos: Infos::Full, messages: Messages::Key, ..self.settings.batch };
        Ok(outcome.render(shape))
    }

    /// A save of one object without a key.
    ///
    /// # Errors
    /// `310003`/`310008` if `data` is missing or no object; as [`write`].
    pub(crate) fn plain(&mut self, interface: &Interface<'_>, body: &Tree) -> Result<Tree, Problem> {
        let data = body.get("data").ok_or_else(|| refuse("310003", "data missing"))?;
        self.keyless(interface, data).map(|written| written.data)
    }

    /// A save of rows without keys; gives what `data` holds, failed rows included.
    ///
    /// # Errors
    /// `310003`/`310008` if `data` is missing or no array; `999` for an empty or too long one.
    pub(crate) fn batch(&mut self, interface: &Interface<'_>, body: &Tree) -> Result<Tree, Problem> {
        let data = body.get("data").ok_or_else(|| refuse("310003", "data missing"))?;
        let rows = data.as_list().ok_or_else(|| refuse("310008", "data is no array"))?;
        self.check_rows(rows)?;
        let mut outcome = Rows::default();
        for row in rows {
            let source = row.get("sourceUnique").and_then(Tree::scalar).unwrap_or_default().to_owned();
            match self.row(interface, row, &source) {
                Ok(written) => {
                    let id = written.data.get("id").cloned().unwrap_or(Tree::Null);
                    outcome.good.push(Good { name: source, id, created: written.created, data: written.data });
                }
                Err(problem) => outcome.bad.push((source, problem)),
            }
        }
        Ok(outcome.render(self.settings.batch))
    }

    /// One row: a known code is refused; a known source updates its document if the settings say so.
    fn row(&mut self, interface: &Interface<'_>, row: &Tree, source: &str) -> Result<Written, Problem> {
        let docs = self.store.docs(interface.entity);
        let has = |doc: &Tree, field: &str, value: &str| doc.get(field).and_then(Tree::scalar) == Some(value);
        let updates = row.get("_status").and_then(Tree::as_text) == Some("Update");
        if !source.is_empty() && self.settings.remember_source && !updates {
            let known = docs.iter().find(|doc| has(&doc.tree, "sourceUnique", source)).map(|doc| doc.tree.clone());
            if let Some(known) = known {
                let mut update = row.clone();
                update.set("_status", Tree::text("Update"));
                for field in ["id", "pubts"] {
                    update.set(field, known.get(field).cloned().unwrap_or(Tree::Null));
                }
                return self.keyless(interface, &update);
            }
        }
        let code = row.get("code").and_then(Tree::scalar).filter(|code| !code.is_empty());
        if let (Some(code), false) = (code, updates)
            && docs.iter().any(|doc| has(&doc.tree, "code", code))
        {
            return Err(refuse("999", format!("编码[{code}]已存在")));
        }
        self.keyless(interface, row)
    }

    fn check_rows(&self, rows: &[Tree]) -> Result<(), Problem> {
        if rows.is_empty() || rows.len() > self.settings.max_rows {
            return Err(refuse("999", format!("每次最多导入{}条", self.settings.max_rows)));
        }
        Ok(())
    }

    fn id_alone(&self, id: i64) -> Tree {
        Tree::object([("id", world::id(self.settings.ids, id))])
    }
}

/// The key of a document; `null` and empty texts are none.
fn key_of<'a>(sent: &'a Tree, name: &str) -> Result<Option<&'a str>, Problem> {
    match sent.get(name) {
        None | Some(Tree::Null) => Ok(None),
        Some(Tree::Text(key)) if key.is_empty() => Ok(None),
        Some(Tree::Text(key)) if key.chars().count() <= KEY_LEN => Ok(Some(key)),
        Some(Tree::Text(_)) => Err(refuse("310008", format!("{name}长度不能超过{KEY_LEN}"))),
        Some(_) => Err(refuse("310008", format!("{name} is no text"))),
    }
}

fn running() -> Problem {
    refuse("202", "请求正在处理中")
}

fn duplicate(settings: &Settings, data: Option<Tree>) -> Problem {
    Problem { data, ..refuse(settings.duplicate_code.text(), "重复提交") }
}

/// The id under which the gateway knows an interface: 32 hex digits.
fn api_id(path: &str) -> String {
    let place = path.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    let mut dice = Dice::new(place, 7_000, 0);
    format!("{:016x}{:016x}", dice.roll(), dice.roll())
}

struct Good {
    /// `sourceUnique`, or the key.
    name: String,
    id: Tree,
    created: bool,
    data: Tree,
}

/// What became of the rows of one call.
#[derive(Default)]
struct Rows {
    good: Vec<Good>,
    bad: Vec<(String, Problem)>,
}

impl Rows {
    fn render(self, shape: BatchShape) -> Tree {
        let (n_good, n_bad) = (self.good.len(), self.bad.len());
        let mut tree = Tree::object([("count", Tree::int(n_good + n_bad))]);
        if matches!(shape.counter, Counter::Sucess | Counter::Both) {
            tree.set("sucessCount", Tree::int(n_good));
        }
        if matches!(shape.counter, Counter::Success | Counter::Both) {
            tree.set("successCount", Tree::int(n_good));
        }
        tree.set("failCount", Tree::int(n_bad));
        let source = |(name, problem): &(String, Problem)| {
            let message = ("message", Tree::text(problem.message.as_str()));
            Tree::object([message, ("sourceUnique", Tree::text(name.as_str()))])
        };
        let each = |form: &dyn Fn(&(String, Problem)) -> Tree| Tree::List(self.bad.iter().map(form).collect());
        let joined = || {
            let texts: Vec<&str> = self.bad.iter().map(|(_, problem)| problem.message.as_str()).collect();
            Tree::text(texts.join(";"))
        };
        match shape.messages {
            Messages::Source => tree.set("messages", each(&source)),
            Messages::Code => tree.set(
                "messages",
                each(&|(_, problem)| {
                    Tree::object([
                        ("code", Tree::text(problem.code.as_str())),
                        ("message", Tree::text(problem.message.as_str())),
                    ])
                }),
            ),
            Messages::Key => tree.set(
                "messages",
                each(&|(name, problem)| {
                    Tree::object([
                        ("key", Tree::text(name.as_str())),
                        ("message", Tree::text(problem.message.as_str())),
                    ])
                }),
            ),
            Messages::Texts => tree.set("messages", each(&|(_, problem)| Tree::text(problem.message.as_str()))),
            Messages::OneText => tree.set("messages", joined()),
            Messages::OneObject => tree.set("messages", self.bad.first().map_or(Tree::Null, source)),
            Messages::Singular => tree.set("message", joined()),
        }
        if let Some(name) = shape.fail_infos {
            tree.set(name, each(&source));
        }
        let infos = self.good.into_iter().map(|good| good.render(shape.infos)).collect();
        tree.set("infos", Tree::List(infos));
        tree
    }
}

impl Good {
    fn render(self, form: Infos) -> Tree {
        let target = || Tree::text(self.id.scalar().unwrap_or_default());
        let source = || Tree::text(self.name.as_str());
        match form {
            Infos::Full => self.data,
            Infos::Id => Tree::object([("id", self.id)]),
            Infos::Source => Tree::object([
                ("sourceUnique", source()),
                ("targetUnique", target()),
                ("created", Tree::Bool(self.created)),
                ("id", self.id),
            ]),
            Infos::Data => {
                Tree::object([("data", Tree::object([("sourceUnique", source()), ("targetUnique", target())]))])
            }
            Infos::Code => {
                Tree::object([("code", Tree::text("200")), ("message", Tree::text("操作成功")), ("data", self.data)])
            }
        }
    }
}

/// Where documents of a kind that only the settings name are kept.
pub(crate) fn more<'a>(settings: &'a Settings, path: &str) -> Option<Interface<'a>> {
    let (path, place) = settings.more_saves.iter().find(|(known, _)| known == path)?;
    Some(Interface { path, action: super::entity::Action::Mdd(*place), entity: Entity::More, required: &[] })
}
