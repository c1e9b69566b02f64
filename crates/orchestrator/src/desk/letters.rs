//! Refused records: which there are, and why.

use milkrun_console::model::{self, DeadLetterPage, DeadLetterQuery};
use milkrun_core::record::plain_text;
use milkrun_core::state::{DeadLetter, Stage, StateStore};
use milkrun_core::{Error, ErrorKind, Record, Result};
use milkrun_store::LetterFilter;

use crate::serve::House;
use crate::text::{self, Lang, fill};

/// How many are shown if nothing is said, and at most.
const USUAL: u32 = 50;
const MOST: u32 = 500;
const STAGES: [Stage; 4] = [Stage::Key, Stage::Mapping, Stage::Target, Stage::Unknown];
/// How many are looked through at a time.
const AT_ONCE: u32 = 500;

/// The number people know a record by.
pub(crate) fn number_of(record: &Record, path: &str) -> Option<String> {
    Some(plain_text(&record.at(path)?)?.into_owned())
}

/// A refused record as its reader reads it; `number` is the path of the business number.
pub(super) fn view(flow: &str, letter: DeadLetter, number: Option<&str>, lang: Lang) -> model::DeadLetter {
    let number = number.and_then(|path| number_of(&Record::parse(letter.record.as_str()).ok()?, path));
    model::DeadLetter {
        id: letter.id,
        flow: flow.to_owned(),
        key: letter.key.as_ref().map(ToString::to_string),
        number,
        stage: letter.stage.as_str().to_owned(),
        reason: lang.retell(&letter.reason).into_owned(),
        page: letter.page,
        at: letter.at,
        record: letter.record,
    }
}

/// The refused records that a query asks for.
pub(super) async fn page(house: &House, flow: &str, query: &DeadLetterQuery, lang: Lang) -> Result<DeadLetterPage> {
    let empty = DeadLetterPage { letters: Vec::new(), next: None, total: 0 };
    let Some(id) = house.flow_id(flow, lang).await? else { return Ok(empty) };
    let store = &house.state.store;
    let total = store.flows().await?.into_iter().find(|known| known.name == flow).map_or(0, |known| known.dead_letters);
    let number = house.prepare(flow, lang).await.ok().and_then(|flow| flow.stream.number);
    let limit = query.limit.unwrap_or(USUAL).clamp(1, MOST) as usize;
    let stage = query.stage.as_deref().map(|name| STAGES.into_iter().find(|stage| stage.as_str() == name));
    if stage == Some(None) {
        return Ok(DeadLetterPage { total, ..empty });
    }
    // What people search for in Chinese may stand in the reason as they read it, which the store does not have.
    let (in_store, in_words) = match &query.text {
        Some(text) if text.is_ascii() => (Some(text.clone()), None),
        text => (None, text.as_ref()),
    };
    let filter = LetterFilter { text: in_store, stage: stage.flatten() };
    let wanted = |told: &model::DeadLetter| {
        in_words.is_none_or(|text| {
            let key = told.key.as_ref().is_some_and(|key| key.contains(text.as_str()));
            key || told.reason.contains(text) || told.record.contains(text)
        })
    };
    let (mut letters, mut after) = (Vec::new(), query.after.unwrap_or(0));
    loop {
        let some = store.find_dead_letters(id, after, AT_ONCE, filter.clone()).await?;
        let is_last = some.len() < AT_ONCE as usize;
        for letter in some {
            after = letter.id;
            let told = view(flow, letter, number.as_deref(), lang);
            if !wanted(&told) {
                continue;
            }
            // One more than is shown says that there are more.
            if letters.len() == limit {
                let next = letters.last().map(|last: &model::DeadLetter| last.id);
                return Ok(DeadLetterPage { letters, next, total });
            }
            letters.push(told);
        }
        if is_last {
            return Ok(DeadLetterPage { letters, next: None, total });
        }
    }
}

/// The refused records with these numbers.
///
/// # Errors
/// [`ErrorKind::NotFound`] names those that are not there.
pub(crate) async fn with_numbers(
    store: &dyn StateStore,
    flow: &str,
    id: Option<i64>,
    numbers: &[u64],
    lang: Lang,
) -> Result<Vec<DeadLetter>> {
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for number in numbers {
        let letter = match (id, number.checked_sub(1)) {
            (Some(id), Some(before)) => store.dead_letters(id, before, 1).await?.pop(),
            _ => None,
        };
        match letter.filter(|letter| letter.id == *number) {
            Some(letter) => found.push(letter),
            None => missing.push(number.to_string()),
        }
    }
    if missing.is_empty() {
        return Ok(found);
    }
    let message = fill!(lang, text::NO_SUCH_LETTER, flow = flow, ids = missing.join(", "));
    Err(Error::new(ErrorKind::NotFound, message).advise(fill!(lang, text::LIST_LETTERS, flow = flow)))
}
