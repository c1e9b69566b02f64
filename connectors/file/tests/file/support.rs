//! What all tests use: an installation in a folder of its own, and the engine's loops in their simplest form.

use std::path::PathBuf;
use std::sync::Arc;

use milkrun_connector_file as _;
use milkrun_core::{
    Account, Appender, Context, Error, Opening, Page, PageRequest, Position, Result, SinkKind, Slice, SystemClock,
    connector,
};
use tempfile::TempDir;

/// An installation of its own, removed at the end.
pub(crate) struct Installation(TempDir);

impl Installation {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Opens an account with these settings, which are the ones below `[accounts.files]`.
    pub(crate) fn open(&self, settings: &str) -> Result<Account> {
        let settings = settings.parse().expect("the test's settings are TOML");
        let opening = Opening { account: "files".to_owned(), settings, folder: self.0.path().to_owned() };
        (connector("file")?.open)(opening)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn put(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    pub(crate) fn get(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    pub(crate) fn text(&self, name: &str) -> String {
        String::from_utf8(self.get(name)).unwrap()
    }

    /// All names in the folder, sorted.
    pub(crate) fn names(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(folder)).unwrap();
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

pub(crate) fn context() -> Context {
    Context::local("files", Arc::new(SystemClock::starting_at(milkrun_core::Timestamp::UNIX_EPOCH)))
}

/// One page of an account's only stream.
pub(crate) async fn page(account: &Account, at: u64, size: u32) -> Result<Page> {
    let source = account.source.as_ref().expect("the account has streams");
    let ask = PageRequest { stream: &source.streams()[0], slice: &Slice::default(), at: &Position::Skip(at), size };
    source.read_page(&context(), ask).await
}

/// All records of an account's only stream from `at` on, as the engine would page them.
pub(crate) async fn read(account: &Account, at: u64, size: u32) -> Result<Vec<String>> {
    let stream = &account.source.as_ref().expect("the account has streams").streams()[0];
    let mut position = Position::Skip(at);
    let (mut records, mut snapshot) = (Vec::new(), None);
    loop {
        let Position::Skip(n) = position else { panic!("{position} is no number of records") };
        let page = page(account, n, size).await?;
        assert!(page.records.len() <= size as usize);
        assert_eq!(snapshot.get_or_insert_with(|| page.snapshot.clone()), &page.snapshot);
        assert_eq!(page.total.is_some(), page.has_next == Some(false));
        records.extend(page.records.iter().map(|r| r.text().to_owned()));
        let Some(next) = stream.paging.next(&position, &page, size)? else {
            assert_eq!(page.total, Some(at + records.len() as u64));
            return Ok(records);
        };
        position = next;
    }
}

/// A file's records, by the settings of its stream.
pub(crate) async fn read_file(settings: &str, name: &str, bytes: impl AsRef<[u8]>) -> Result<Vec<String>> {
    let home = Installation::new();
    home.put(name, bytes);
    let account = home.open(&format!("streams = [{{ name = 's', path = '{name}', key = ['id'], {settings} }}]"))?;
    read(&account, 0, 100).await
}

/// Opens a target.
pub(crate) async fn target(account: &Account, name: &str, mark: Option<&str>) -> Result<Box<dyn Appender>> {
    let Some(SinkKind::Appends(sink)) = &account.sink else { panic!("files are appended to") };
    sink.open(name, mark).await
}

/// Writes documents and finishes.
pub(crate) async fn write(account: &Account, name: &str, mark: Option<&str>, documents: &[&str]) -> Result<String> {
    let mut appender = target(account, name, mark).await?;
    for document in documents {
        appender.push(&[*document])?;
    }
    appender.finish().await
}

/// An error with everything a person sees of it.
pub(crate) fn shown(error: &Error) -> String {
    let help = error.help().map(|h| format!("\n  help: {h}")).unwrap_or_default();
    format!("{error:?}{help}")
}
