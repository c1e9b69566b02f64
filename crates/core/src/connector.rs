//! The connector interface: sources, sinks, and the registry that crates submit themselves to.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

use crate::chinese::Catalogue;
use crate::context::Context;
use crate::error::Result;
use crate::login::Login;
use crate::page::{Page, Position};
use crate::push::PushReceiver;
use crate::quota::QuotaSpec;
use crate::sign::{SignRequest, Signed};
use crate::stream::{Slice, StreamSpec, Title};
use crate::target::{Delivery, Receipt, TargetSpec};
use crate::token::TokenSource;
use crate::transport::Protocol;

/// What a source is asked for.
#[derive(Clone, Copy, Debug)]
pub struct PageRequest<'a> {
    /// The stream.
    pub stream: &'a StreamSpec,
    /// The part of it.
    pub slice: &'a Slice,
    /// Where the page starts.
    pub at: &'a Position,
    /// How many records it may have.
    pub size: u32,
}

/// One vendor account, ready to be read.
#[async_trait]
pub trait Source: fmt::Debug + Send + Sync {
    /// Streams this account can serve, in a stable order: the connector's own and those the user declared.
    fn streams(&self) -> &[StreamSpec];

    /// Proves the credentials with the cheapest call the vendor offers.
    async fn check(&self, cx: &Context) -> Result<()>;

    /// Fetches one page.
    ///
    /// Asking twice for the same page gives the same records unless the vendor changed them. An answer that is not
    /// a good page is an error, never an empty page.
    async fn read_page(&self, cx: &Context, ask: PageRequest<'_>) -> Result<Page>;
}

/// One vendor account, ready to be written to by calls.
#[async_trait]
pub trait Sink: fmt::Debug + Send + Sync {
    /// Targets this account accepts, in a stable order.
    fn targets(&self) -> &[TargetSpec];

    /// Proves the credentials with the cheapest call the vendor offers.
    async fn check(&self, cx: &Context) -> Result<()>;

    /// Sends one batch, all of one target: one receipt for each delivery, in the same order.
    ///
    /// # Errors
    /// An error says that **no** delivery of the batch had an effect; anything less certain is
    /// [`Receipt::Unknown`].
    async fn deliver(&self, cx: &Context, batch: &[Delivery]) -> Result<Vec<Receipt>>;

    /// What became of a delivery whose outcome is unknown; `None` if the target has no such document.
    ///
    /// # Errors
    /// Any error leaves the outcome unknown.
    async fn look_up(&self, cx: &Context, delivery: &Delivery) -> Result<Option<Receipt>>;
}

/// A local medium that is only appended to, and whose committed length is part of the checkpoint.
#[async_trait]
pub trait AppendSink: fmt::Debug + Send + Sync {
    /// Targets this medium has by declaration, in a stable order.
    fn targets(&self) -> &[TargetSpec];

    /// The target of that name, declared or made up from its name; `None` if there can be none.
    fn target(&self, name: &str) -> Option<TargetSpec>;

    /// Proves that it can be written.
    async fn check(&self) -> Result<()>;

    /// What opening a target anew would do to what it holds now; nothing is changed by asking.
    ///
    /// # Errors
    /// As [`AppendSink::open`], where the target cannot be looked at.
    async fn existing(&self, target: &str) -> Result<Existing>;

    /// Opens a target and cuts what lies beyond `committed`, the mark of the last commit; `None` begins anew.
    ///
    /// # Errors
    /// [`ErrorKind::State`](crate::ErrorKind::State) if less is there than was committed.
    async fn open(&self, target: &str, committed: Option<&str>) -> Result<Box<dyn Appender>>;
}

/// What becomes of what a target of an [`AppendSink`] holds when it is opened anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// It holds nothing, so nothing happens.
    Nothing,
    /// It is kept beside the new one, under another name.
    KeptAside,
    /// It is overwritten.
    Replaced,
    /// The opening is refused until it is moved away.
    Refused,
}

/// An open target of an [`AppendSink`].
#[async_trait]
pub trait Appender: fmt::Debug + Send {
    /// Takes the documents of one record, JSON objects, all or none of them; they are on the medium only after the next
    /// [`Appender::sync`].
    ///
    /// # Errors
    /// [`ErrorKind::Refused`](crate::ErrorKind::Refused) if one of them cannot be written in the medium's form.
    fn push(&mut self, documents: &[&str]) -> Result<()>;

    /// Makes everything taken so far durable, and returns the mark to commit.
    async fn sync(&mut self) -> Result<String>;

    /// Ends the writing in good order (the end of a compressed file, say), and returns the mark to commit.
    async fn finish(&mut self) -> Result<String>;

    /// Where a person finds it.
    fn place(&self) -> String;
}

/// How an account takes documents.
#[derive(Clone, Debug)]
pub enum SinkKind {
    /// By calls whose outcome may be unknown.
    Calls(Arc<dyn Sink>),
    /// By appending to a local medium.
    Appends(Arc<dyn AppendSink>),
}

impl SinkKind {
    /// The targets it has.
    pub fn targets(&self) -> &[TargetSpec] {
        match self {
            Self::Calls(sink) => sink.targets(),
            Self::Appends(sink) => sink.targets(),
        }
    }

    /// The target of that name.
    pub fn target(&self, name: &str) -> Option<TargetSpec> {
        match self {
            Self::Calls(sink) => sink.targets().iter().find(|target| target.name == name).cloned(),
            Self::Appends(sink) => sink.target(name),
        }
    }
}

/// One set of credentials at one vendor, opened: what a connector makes of its configuration.
#[derive(Debug)]
pub struct Account {
    /// To be read, if the vendor can be.
    pub source: Option<Arc<dyn Source>>,
    /// To be written to, if the vendor can be.
    pub sink: Option<SinkKind>,
    /// How calls are signed and answers judged; `None` if no calls are made.
    pub protocol: Option<Arc<dyn Protocol>>,
    /// How tokens are had; `None` if the vendor needs none.
    pub tokens: Option<Arc<dyn TokenSource>>,
    /// How a person grants access in a browser, if the vendor wants that.
    pub login: Option<Arc<dyn Login>>,
    /// How messages that the vendor sends by itself are taken, if it sends any.
    pub pushes: Option<Arc<dyn PushReceiver>>,
    /// How many calls the vendor allows.
    pub quota: QuotaSpec,
}

impl Account {
    /// An account that can do nothing yet: a connector fills in what its vendor has.
    pub fn new(quota: QuotaSpec) -> Self {
        Self { source: None, sink: None, protocol: None, tokens: None, login: None, pushes: None, quota }
    }
}

/// What a connector is given to open an account.
#[derive(Debug)]
pub struct Opening {
    /// The account's name in `milkrun.toml`.
    pub account: String,
    /// The account's settings, without `connector`; secrets are already resolved to text.
    pub settings: toml::Table,
    /// The folder of the installation, which relative paths start at.
    pub folder: PathBuf,
}

impl Opening {
    /// The settings as the connector's own struct.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`](crate::ErrorKind::ConfigInvalid) names what is wrong.
    pub fn parse<T: serde::de::DeserializeOwned>(&self) -> Result<T> {
        self.settings.clone().try_into().map_err(|e: toml::de::Error| {
            crate::Error::config(format!("account `{}`: {}", self.account, e.message())).with("account", &self.account)
        })
    }
}

/// What a connector registers: everything that can be known without an account.
pub struct ConnectorSpec {
    /// The registered name: folder, feature and the `connector` setting are the same word.
    pub name: &'static str,
    /// The vendor, in English and in Chinese.
    pub title: (&'static str, &'static str),
    /// The crate's own documentation: the five facts, in Markdown.
    pub about: &'static str,
    /// The same in Chinese.
    pub about_zh: &'static str,
    /// The JSON Schema of the account's settings.
    pub schema: fn() -> schemars::Schema,
    /// The Chinese of the schema's descriptions: the text of the crate's `zh.toml`.
    pub zh: &'static str,
    /// The streams every account has.
    pub streams: fn() -> Vec<StreamSpec>,
    /// The targets every account has.
    pub targets: fn() -> Vec<TargetSpec>,
    /// The quota every account has, unless it is set otherwise.
    pub quota: fn() -> QuotaSpec,
    /// A minimal, valid `[accounts.…]` table for the documentation and for `milkrun init`, with a stream declared where
    /// accounts have none by themselves.
    pub example: &'static str,
    /// Signs as the vendor's calls are signed, for comparison with the vendor's debugger; `None` if nothing is signed.
    pub sign: Option<fn(&SignRequest) -> Result<Signed>>,
    /// Opens an account.
    pub open: fn(Opening) -> Result<Account>,
}

impl ConnectorSpec {
    /// The vendor's name in both languages.
    pub fn title(&self) -> Title {
        Title::new(self.title.0, self.title.1)
    }

    /// The JSON Schema of the account's settings, described in Chinese.
    pub fn schema_zh(&self) -> serde_json::Value {
        let mut schema = (self.schema)().to_value();
        Catalogue::parse(self.zh).or(Catalogue::core()).translate(&mut schema);
        schema
    }
}

impl fmt::Debug for ConnectorSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConnectorSpec({})", self.name)
    }
}

inventory::collect!(ConnectorSpec);

/// All linked connectors, sorted by name; the registry itself has no order.
pub fn connectors() -> Vec<&'static ConnectorSpec> {
    let mut all: Vec<_> = inventory::iter::<ConnectorSpec>().collect();
    all.sort_by_key(|spec| spec.name);
    all
}

/// The linked connector of that name.
///
/// # Errors
/// [`ErrorKind::ConfigInvalid`](crate::ErrorKind::ConfigInvalid) with the nearest name if there is none.
pub fn connector(name: &str) -> Result<&'static ConnectorSpec> {
    let all = connectors();
    all.iter().find(|spec| spec.name == name).copied().ok_or_else(|| {
        let names: Vec<_> = all.iter().map(|spec| spec.name).collect();
        let error = crate::Error::config(format!("no connector is called `{name}`"));
        error.advise(crate::diagnostic::did_you_mean(name, &names))
    })
}
