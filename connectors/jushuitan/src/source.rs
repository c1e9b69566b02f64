//! Reading: one page.

use std::sync::Arc;

use milkrun_core::connector::{Account, Opening, PageRequest};
use milkrun_core::{Context, Error, ErrorKind, Page, Position, Result, Source, StreamSpec, async_trait};
use serde_json::{Map, json};

use crate::client::Client;
use crate::config::{self, JushuitanConfig};
use crate::streams;

/// Opens an account.
pub(crate) fn open(opening: &Opening) -> Result<Account> {
    let config: JushuitanConfig = opening.parse()?;
    config.validate().map_err(|error| error.with("account", &opening.account))?;
    let quota = config::quota(config.calls_per_second);
    let streams = streams::all(config.page_size);
    let client = Arc::new(Client::new(config));
    let source = JushuitanSource { client: Arc::clone(&client), streams };
    Ok(Account { source: Some(Arc::new(source)), protocol: Some(client), ..Account::new(quota) })
}

/// One Jushuitan company, ready to be read.
#[derive(Debug)]
struct JushuitanSource {
    client: Arc<Client>,
    streams: Vec<StreamSpec>,
}

#[async_trait]
impl Source for JushuitanSource {
    fn streams(&self) -> &[StreamSpec] {
        &self.streams
    }

    async fn check(&self, cx: &Context) -> Result<()> {
        let one = Map::from_iter([("page".to_owned(), json!(1)), ("page_size".to_owned(), json!(1))]);
        self.client.list(cx, "/items/query", one).await.map(drop)
    }

    async fn read_page(&self, cx: &Context, ask: PageRequest<'_>) -> Result<Page> {
        self.read(cx, ask).await.map_err(|error| error.with("stream", &ask.stream.name).with("at", ask.at))
    }
}

impl JushuitanSource {
    async fn read(&self, cx: &Context, ask: PageRequest<'_>) -> Result<Page> {
        let Position::Page(number) = ask.at else {
            let error = Error::new(ErrorKind::State, "the saved position is of another kind of paging");
            return Err(error.advise("run once with --restart"));
        };
        let mut parameters =
            Map::from_iter([("page".to_owned(), json!(number)), ("page_size".to_owned(), json!(ask.size))]);
        if let (Some(spec), Some(window)) = (&ask.stream.window, ask.slice.window) {
            let (from, until) = spec.bounds(window)?;
            parameters.insert("modified_from".to_owned(), from.into());
            parameters.insert("modified_until".to_owned(), until.into());
        }
        let (records, total, body) = self.client.list(cx, &ask.stream.endpoint, parameters).await?;
        Ok(Page { records, total, body, ..Page::default() })
    }
}
