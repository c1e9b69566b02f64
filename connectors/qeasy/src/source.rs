//! Reading: one page of a scheme's records.

use std::sync::Arc;

use milkrun_core::connector::{Account, Opening, PageRequest};
use milkrun_core::transport::Body;
use milkrun_core::{
    Context, Error, ErrorKind, Page, Position, Quota, QuotaSpec, Result, SinkKind, Source, StreamSpec, async_trait,
};
use serde_json::{Map, Value};

use crate::client::Client;
use crate::config::{Api, Form, PlatformConfig, QeasyConfig, StreamConfig};
use crate::noop::NoopSink;
use crate::sink::QeasySink;

/// Opens an account.
pub(crate) fn open(opening: &Opening) -> Result<Account> {
    let config: QeasyConfig = opening.parse()?;
    config.validate().map_err(|error| error.with("account", &opening.account))?;
    if let Some(noop) = &config.noop {
        let sink = NoopSink::new(noop, &opening.folder);
        let quota = QuotaSpec::account(Quota::unlimited());
        return Ok(Account { sink: Some(SinkKind::Appends(Arc::new(sink))), ..Account::new(quota) });
    }
    let platform = config.platform.expect("it was validated");
    let client = Arc::new(Client::new(&platform));
    let source = (!platform.streams.is_empty()).then(|| {
        let specs = platform.streams.iter().map(StreamConfig::spec).collect();
        let source = QeasySource { client: Arc::clone(&client), streams: platform.streams.clone(), specs };
        Arc::new(source) as Arc<dyn Source>
    });
    let sink = (!platform.targets.is_empty()).then(|| sink(&client, &platform));
    Ok(Account {
        source,
        sink,
        protocol: Some(Arc::<Client>::clone(&client)),
        tokens: Some(client),
        ..Account::new(platform.quota())
    })
}

fn sink(client: &Arc<Client>, platform: &PlatformConfig) -> SinkKind {
    SinkKind::Calls(Arc::new(QeasySink::new(Arc::clone(client), &platform.targets)))
}

/// The platform, ready to be read.
#[derive(Debug)]
struct QeasySource {
    client: Arc<Client>,
    /// In the order of `specs`.
    streams: Vec<StreamConfig>,
    specs: Vec<StreamSpec>,
}

#[async_trait]
impl Source for QeasySource {
    fn streams(&self) -> &[StreamSpec] {
        &self.specs
    }

    async fn check(&self, cx: &Context) -> Result<()> {
        let (stream, slice) = (&self.specs[0], milkrun_core::Slice::default());
        let ask = PageRequest { stream, slice: &slice, at: &stream.paging.start(), size: 1 };
        self.read_page(cx, ask).await.map(drop)
    }

    async fn read_page(&self, cx: &Context, ask: PageRequest<'_>) -> Result<Page> {
        self.read(cx, ask).await.map_err(|error| error.with("stream", &ask.stream.name).with("page", ask.at))
    }
}

impl QeasySource {
    async fn read(&self, cx: &Context, ask: PageRequest<'_>) -> Result<Page> {
        let stream = self.streams.iter().find(|stream| stream.name == ask.stream.name);
        let stream = stream.ok_or_else(|| Error::config("the account has no such stream"))?;
        let call = self.client.call(&stream.path(), parameters(stream, &ask)?);
        let body = cx.call(call).await?.body;
        let (records, total) = Client::rows(&body)?;
        Ok(Page { records, total, body, ..Page::default() })
    }
}

/// The parameters of a call for one page.
///
/// # Errors
/// [`ErrorKind::ConfigInvalid`] if the platform would cut the page without a word.
fn parameters(stream: &StreamConfig, ask: &PageRequest<'_>) -> Result<Body> {
    let Position::Page(number) = ask.at else {
        let error = Error::new(ErrorKind::State, "the saved position is of another kind of paging");
        return Err(error.advise("run once with --restart"));
    };
    if !(1..=100).contains(&ask.size) {
        return Err(Error::config("the platform gives pages of 1 to 100 records").with("page_size", ask.size));
    }
    let mut numbers = vec![("page", number.to_string()), ("pageSize", ask.size.to_string())];
    if let (Some(spec), Some(window)) = (&ask.stream.window, ask.slice.window) {
        let (from, until) = spec.bounds(window)?;
        numbers.extend([("begin_at", from), ("end_at", until)]);
    }
    let mut texts: Vec<(String, String)> = Vec::new();
    for (field, operators) in &stream.condition {
        texts.extend(
            operators.iter().map(|(operator, value)| (format!("condition[{field}][{operator}]"), value.clone())),
        );
    }
    texts.extend(stream.content.iter().map(|(field, value)| (format!("CONTENT_{field}"), value.clone())));
    if stream.api == Api::V1 || stream.body == Form::Form {
        let numbers = numbers.into_iter().map(|(name, digits)| (name.to_owned(), digits));
        return Ok(Body::Form(numbers.chain(texts).collect()));
    }
    let number = |digits: String| Value::from(digits.parse::<i64>().expect("it was written from a number"));
    let mut fields: Map<String, Value> =
        numbers.into_iter().map(|(name, digits)| (name.to_owned(), number(digits))).collect();
    fields.extend(texts.into_iter().map(|(name, value)| (name, Value::String(value))));
    Ok(Body::Json(Value::Object(fields).to_string()))
}
