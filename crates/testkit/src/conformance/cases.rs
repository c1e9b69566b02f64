//! The cases.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use milkrun_core::{Error, ErrorKind, Position, Retry, StreamSpec};

use super::surroundings::{ATTEMPTS, Opened, Stage, shown};
use super::walk::{ensure, texts, verify, walk};
use super::{Case, Failure, Load, Scene, Stop, Strike, settings};

/// How many readers share a token that ends.
const READERS: usize = 8;

type Verdict = Result<(), Stop>;

pub(crate) async fn play(case: Case, stage: &Stage, all: &[StreamSpec], stream: Option<&StreamSpec>) -> Verdict {
    match (case, stream) {
        (Case::Streams, _) => streams(stage),
        (Case::Check, _) => check(stage, all).await,
        (Case::RequiredSettings, _) => settings::required(stage),
        (Case::UnknownSettings, _) => settings::unknown(stage),
        (Case::Secrets, _) => {
            stage.open()?;
            settings::spoilt(stage);
            Ok(())
        }
        (Case::OneRenewal, _) => one_renewal(stage, all).await,
        (Case::Slow, _) => slow(stage, all).await,
        (Case::Reads(load), Some(stream)) => reads(stage, stream, load).await,
        (Case::Resumes, Some(stream)) => resumes(stage, stream).await,
        (Case::ForeignPosition, Some(stream)) => foreign_position(stage, stream).await,
        (Case::Fails(failure), Some(stream)) => match failure {
            Failure::TokenRefused => token_refused(stage, stream).await,
            Failure::TotalMissing => total_missing(stage, stream).await,
            Failure::PageIgnored | Failure::SamePage => endless(stage, stream).await,
            failure => bad_answer(stage, stream, failure).await,
        },
        (case, None) => unreachable!("{case:?} is of a stream"),
    }
}

async fn scene(stage: &Stage, stream: &StreamSpec, load: Load) -> Result<Scene, Stop> {
    let one_page = stream.paging == milkrun_core::Paging::None;
    if one_page && matches!(load, Load::FullPage | Load::FullPageAndOne) {
        return Err(Stop::NotApplicable);
    }
    let scene = stage.vendor.holds(&stage.clock, stream, load).await;
    let scene = scene.ok_or_else(|| Stop::Unplayable(format!("{load:?}")))?;
    let (n, size) = (scene.n_records, scene.size as usize);
    let as_asked = match load {
        Load::Empty => n == 0,
        Load::One => n == 1,
        Load::Several => n >= 2,
        Load::FullPage => n == size,
        Load::FullPageAndOne => n == size + 1,
    };
    ensure(as_asked, || format!("the vendor says that it plays {load:?}, and plays {scene:?}"))?;
    Ok(scene)
}

/// The first stream of which the vendor can hold several records.
async fn any_scene<'a>(stage: &Stage, all: &'a [StreamSpec]) -> Result<(&'a StreamSpec, Scene), Stop> {
    for stream in all {
        if let Ok(scene) = scene(stage, stream, Load::Several).await {
            return Ok((stream, scene));
        }
    }
    Err(Stop::Unplayable("several records of any stream".to_owned()))
}

fn play_failure(stage: &Stage, stream: &StreamSpec, failure: Failure, strike: Strike) -> Verdict {
    stage.vendor.mends();
    let plays = stage.vendor.fails(stream, failure, strike);
    if plays { Ok(()) } else { Err(Stop::Unplayable(format!("{failure:?}"))) }
}

fn streams(stage: &Stage) -> Verdict {
    let (one, other) = (stage.open()?, stage.open()?);
    let names = |opened: &Opened| opened.source().streams().iter().map(|s| s.name.clone()).collect::<Vec<_>>();
    ensure(names(&one) == names(&other), || format!("{:?} is also {:?}", names(&one), names(&other)))?;
    let distinct: BTreeSet<_> = names(&one).into_iter().collect();
    ensure(distinct.len() == names(&one).len(), || "two streams have one name".to_owned())?;
    for stream in (stage.spec.streams)() {
        ensure(distinct.contains(&stream.name), || format!("the account lacks the connector's `{}`", stream.name))?;
    }
    for stream in one.source().streams() {
        let size = stream.page_size;
        let sizes = size.min >= 1 && size.min <= size.usual && size.max.is_none_or(|max| size.usual <= max);
        ensure(sizes, || format!("`{}`: page sizes {size:?}", stream.name))?;
        ensure(!stream.key.is_empty(), || format!("`{}` has no key", stream.name))?;
        if let Some(window) = &stream.window {
            window.time_zone()?;
            ensure(window.longest >= window.granularity, || format!("`{}`: {window:?}", stream.name))?;
        }
        if let Some(parent) = &stream.partition {
            let known = distinct.contains(&parent.stream) && parent.stream != stream.name;
            ensure(known, || format!("`{}` takes its parts from `{}`", stream.name, parent.stream))?;
        }
    }
    Ok(())
}

async fn check(stage: &Stage, all: &[StreamSpec]) -> Verdict {
    let opened = stage.open()?;
    let (stream, _) = any_scene(stage, all).await?;
    let check = async || opened.source().check(&opened.cx).await.inspect_err(|e| stage.transcript.note(&shown(e)));
    check().await?;
    if !opened.makes_calls() {
        return Ok(());
    }
    for failure in [Failure::Html, Failure::EmptyBody] {
        play_failure(stage, stream, failure, Strike::Always)?;
        ensure(check().await.is_err(), || format!("`check` passes in spite of {failure:?}"))?;
    }
    stage.vendor.mends();
    Ok(check().await?)
}

async fn reads(stage: &Stage, stream: &StreamSpec, load: Load) -> Verdict {
    let scene = scene(stage, stream, load).await?;
    let walked = walk(&stage.open()?, stream, &scene, stream.paging.start()).await?;
    verify(stream, &scene, &walked)
}

async fn resumes(stage: &Stage, stream: &StreamSpec) -> Verdict {
    let scene = match scene(stage, stream, Load::FullPageAndOne).await {
        Err(Stop::NotApplicable) => scene(stage, stream, Load::Several).await?,
        scene => scene?,
    };
    let walked = walk(&stage.open()?, stream, &scene, stream.paging.start()).await?;
    for (i, (at, _)) in walked.iter().enumerate() {
        let saved = serde_json::to_string(at).expect("positions can be written");
        let at: Position = serde_json::from_str(&saved).expect("positions can be read");
        let again = walk(&stage.open()?, stream, &scene, at).await?;
        let records = |walk: &[(Position, milkrun_core::Page)]| {
            walk.iter().flat_map(|(_, page)| texts(page)).map(ToOwned::to_owned).collect::<Vec<_>>()
        };
        ensure(records(&walked[i..]) == records(&again), || format!("from {saved} on, other records came"))?;
    }
    Ok(())
}

async fn foreign_position(stage: &Stage, stream: &StreamSpec) -> Verdict {
    let scene = scene(stage, stream, Load::Several).await?;
    let opened = stage.open()?;
    let foreign = match stream.paging.start() {
        Position::Page(_) => [Position::Skip(0), Position::Cursor("x".to_owned())],
        Position::Skip(_) => [Position::Page(1), Position::Cursor("x".to_owned())],
        Position::Version(_) => [Position::Page(1), Position::Skip(0)],
        _ => [Position::Page(1), Position::Version("1".to_owned())],
    };
    for at in foreign {
        match opened.page(stream, &scene, &at).await {
            Ok(page) => return Err(Stop::Failed(format!("{} records came for {at:?}", page.records.len()))),
            Err(error) => ensure(error.kind() == ErrorKind::State, || format!("for {at:?}: {}", shown(&error)))?,
        }
    }
    Ok(())
}

/// Whether an answer is worth asking for again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Again {
    Yes,
    No,
    Either,
}

/// What a failure has to become, and whether it is asked again for.
fn expectation(failure: Failure) -> (&'static [ErrorKind], Again) {
    use ErrorKind::{ConfigInvalid, Forbidden, Malformed, OutcomeUnknown, QuotaExceeded, Refused, Unavailable};
    match failure {
        Failure::Html | Failure::EmptyBody | Failure::Truncated => (&[Malformed], Again::Yes),
        Failure::BrokenOff | Failure::Slow => (&[OutcomeUnknown], Again::Yes),
        Failure::Reset => (&[OutcomeUnknown, Unavailable], Again::Yes),
        Failure::Throttled => (&[QuotaExceeded], Again::Yes),
        Failure::TemporaryCode => (&[Unavailable], Again::Yes),
        Failure::Refused => (&[Refused, Forbidden, ConfigInvalid], Again::No),
        Failure::ClockSkew => (&[ConfigInvalid], Again::No),
        _ => (&[], Again::Either),
    }
}

async fn bad_answer(stage: &Stage, stream: &StreamSpec, failure: Failure) -> Verdict {
    let local = matches!(failure, Failure::Html | Failure::EmptyBody | Failure::Truncated);
    let calls = stage.open()?.makes_calls();
    if !calls && !local {
        return Err(Stop::NotApplicable);
    }
    let scene = scene(stage, stream, Load::Several).await?;
    let start = stream.paging.start();
    let opened = stage.open()?;
    // The first page of all also gets the token.
    let good = opened.page(stream, &scene, &start).await?;
    let before = stage.vendor.n_calls();
    opened.page(stream, &scene, &start).await?;
    let n_good = stage.vendor.n_calls() - before;
    let (kinds, again) = expectation(failure);

    // Again and again.
    play_failure(stage, stream, failure, Strike::Always)?;
    let before = stage.vendor.n_calls();
    let error = error_of(&opened, stream, &scene).await?;
    let n_calls = stage.vendor.n_calls() - before;
    ensure(kinds.is_empty() || kinds.contains(&error.kind()), || format!("it became {}", shown(&error)))?;
    if calls {
        let expected = match again {
            Again::Yes => Some(u64::from(ATTEMPTS)),
            Again::No => Some(1),
            Again::Either => None,
        };
        let as_often = expected.is_none_or(|expected| n_calls == expected);
        ensure(as_often, || format!("{n_calls} calls were made for {}", shown(&error)))?;
        let exhausted = error.retry() == Retry::Exhausted;
        ensure(exhausted == (n_calls > 1), || {
            format!("after {n_calls} calls, {:?}: {}", error.retry(), shown(&error))
        })?;
    }
    if failure == Failure::ClockSkew {
        let said = shown(&error).to_lowercase();
        ensure(said.contains("clock"), || format!("nothing is said of the clock: {}", shown(&error)))?;
    }
    stage.vendor.mends();
    let same = |page: &milkrun_core::Page| texts(page) == texts(&good);
    let mended = opened.page(stream, &scene, &start).await?;
    ensure(same(&mended), || "once it is over, other records come".to_owned())?;
    if !calls {
        return Ok(());
    }

    // Once, or twice where one has to wait.
    if again == Again::Yes {
        let n_struck = if failure == Failure::Throttled { 2 } else { 1 };
        play_failure(stage, stream, failure, Strike::Next(n_struck))?;
        let (since, before) = (opened.cx.now(), stage.vendor.n_calls());
        let page = opened.page(stream, &scene, &start).await?;
        ensure(same(&page), || "after it went wrong once, other records came".to_owned())?;
        let n_calls = stage.vendor.n_calls() - before;
        ensure(n_calls == n_good + u64::from(n_struck), || {
            format!("{n_calls} calls instead of {n_good} and {n_struck}")
        })?;
        if failure == Failure::Throttled {
            let waited = Duration::try_from(opened.cx.now().duration_since(since)).unwrap_or_default();
            let told = stage.vendor.told_wait() * n_struck;
            // What the account's own quota costs is small.
            let as_told = waited >= told && waited < told + Duration::from_secs(10);
            ensure(as_told, || format!("{waited:?} went by instead of {told:?}"))?;
        }
    }

    // In the middle, where a page takes several calls; clocks do not go wrong there.
    if n_good > 1 && failure != Failure::ClockSkew {
        play_failure(stage, stream, failure, Strike::Every(if again == Again::Yes { 3 } else { 2 }))?;
        match (again, opened.page(stream, &scene, &start).await) {
            (Again::Yes, page) => {
                ensure(same(&page?), || "after failures in the middle, other records came".to_owned())?;
            }
            (_, Err(_)) => {}
            (_, Ok(page)) => {
                let n = page.records.len();
                return Err(Stop::Failed(format!("{n} records came, though a call in the middle failed")));
            }
        }
    }
    Ok(())
}

/// The error that a reading becomes. A source that finds a fault after good records may give these first.
async fn error_of(opened: &Opened, stream: &StreamSpec, scene: &Scene) -> Result<Error, Stop> {
    match walk(opened, stream, scene, stream.paging.start()).await {
        Ok(walk) => {
            let n_records: usize = walk.iter().map(|(_, page)| page.records.len()).sum();
            Err(Stop::Failed(format!("it became {n_records} records without an error")))
        }
        Err(error) => Ok(error),
    }
}

async fn slow(stage: &Stage, all: &[StreamSpec]) -> Verdict {
    if !stage.open()?.makes_calls() {
        return Err(Stop::NotApplicable);
    }
    let (stream, scene) = any_scene(stage, all).await?;
    let start = stream.paging.start();
    let good = stage.open()?.page(stream, &scene, &start).await?;
    let hasty = stage.open_with(Duration::from_millis(300))?;
    play_failure(stage, stream, Failure::Slow, Strike::Always)?;
    let error = error_of(&hasty, stream, &scene).await?;
    let (kinds, _) = expectation(Failure::Slow);
    let said = kinds.contains(&error.kind()) && error.retry() == Retry::Exhausted;
    ensure(said, || format!("it became {}, {:?}", shown(&error), error.retry()))?;
    play_failure(stage, stream, Failure::Slow, Strike::Next(1))?;
    let page = hasty.page(stream, &scene, &start).await?;
    ensure(texts(&page) == texts(&good), || "after a slow answer, other records came".to_owned())
}

async fn one_renewal(stage: &Stage, all: &[StreamSpec]) -> Verdict {
    let opened = stage.open()?;
    if opened.account.tokens.is_none() {
        return Err(Stop::NotApplicable);
    }
    let (stream, scene) = any_scene(stage, all).await?;
    let start = stream.paging.start();
    let good = opened.page(stream, &scene, &start).await?;
    if !stage.vendor.ends_token(&stage.clock).await {
        return Err(Stop::Unplayable("the end of a token".to_owned()));
    }
    let before = stage.vendor.n_renewals();
    let pages = join_all((0..READERS).map(|_| opened.page(stream, &scene, &start))).await;
    for page in pages {
        ensure(texts(&page?) == texts(&good), || "with the new token, other records came".to_owned())?;
    }
    let n_renewals = stage.vendor.n_renewals() - before;
    ensure(n_renewals == 1, || format!("{READERS} readers renewed the token {n_renewals} times"))?;
    let n_unstored = opened.n_unstored();
    ensure(n_unstored == 0, || format!("{n_unstored} calls carried a token that was not stored yet"))?;
    // Another process goes on with what is stored.
    let other = stage.open()?;
    other.page(stream, &scene, &start).await?;
    let n_renewals = stage.vendor.n_renewals() - before;
    ensure(n_renewals == 1 && other.n_unstored() == 0, || "another process does not use the stored token".to_owned())
}

async fn token_refused(stage: &Stage, stream: &StreamSpec) -> Verdict {
    let opened = stage.open()?;
    if opened.account.tokens.is_none() {
        return Err(Stop::NotApplicable);
    }
    let scene = scene(stage, stream, Load::Several).await?;
    let start = stream.paging.start();
    let good = opened.page(stream, &scene, &start).await?;
    let before = stage.vendor.n_renewals();
    play_failure(stage, stream, Failure::TokenRefused, Strike::Next(1))?;
    let page = opened.page(stream, &scene, &start).await?;
    ensure(texts(&page) == texts(&good), || "with the new token, other records came".to_owned())?;
    let n_renewals = stage.vendor.n_renewals() - before;
    ensure(n_renewals == 1, || format!("one refusal led to {n_renewals} renewals"))?;
    // Vendors renew so often only.
    stage.clock.advance(Duration::from_hours(2));
    let before = (stage.vendor.n_calls(), stage.vendor.n_renewals());
    play_failure(stage, stream, Failure::TokenRefused, Strike::Always)?;
    let error = error_of(&opened, stream, &scene).await?;
    let about_token = matches!(error.kind(), ErrorKind::TokenExpired | ErrorKind::TokenDead);
    ensure(about_token, || format!("it became {}", shown(&error)))?;
    let (n_calls, n_renewals) = (stage.vendor.n_calls() - before.0, stage.vendor.n_renewals() - before.1);
    ensure(n_renewals <= 1 && n_calls <= 3, || format!("{n_calls} calls with {n_renewals} renewals for one page"))?;
    ensure(opened.n_unstored() == 0, || "a call carried a token that was not stored yet".to_owned())
}

async fn total_missing(stage: &Stage, stream: &StreamSpec) -> Verdict {
    let scene = scene(stage, stream, Load::Several).await?;
    let start = stream.paging.start();
    let opened = stage.open()?;
    let good = opened.page(stream, &scene, &start).await?;
    if good.total.is_none() || !opened.makes_calls() {
        return Err(Stop::NotApplicable);
    }
    play_failure(stage, stream, Failure::TotalMissing, Strike::Always)?;
    match opened.page(stream, &scene, &start).await {
        Ok(page) => {
            ensure(page.total.is_none(), || format!("a total of {:?} is made up", page.total))?;
            ensure(texts(&page) == texts(&good), || "without a total, other records came".to_owned())
        }
        // A vendor that always gives one gives no good answer without it.
        Err(error) => ensure(error.kind() == ErrorKind::Malformed, || format!("it became {}", shown(&error))),
    }
}

/// Both ways in which a page can come for ever.
async fn endless(stage: &Stage, stream: &StreamSpec) -> Verdict {
    let opened = stage.open()?;
    if !opened.makes_calls() || matches!(stream.paging, milkrun_core::Paging::RowVersion { .. }) {
        return Err(Stop::NotApplicable);
    }
    let scene = scene(stage, stream, Load::FullPageAndOne).await?;
    for failure in [Failure::PageIgnored, Failure::SamePage] {
        play_failure(stage, stream, failure, Strike::Always)?;
        match walk(&opened, stream, &scene, stream.paging.start()).await {
            Err(error) if error.kind() == ErrorKind::Incoherent && error.message().contains("twice") => {}
            Err(error) => return Err(Stop::Failed(format!("{failure:?} became {}", shown(&error)))),
            Ok(walk) => return Err(Stop::Failed(format!("{failure:?} ended after {} pages", walk.len()))),
        }
    }
    Ok(())
}
