//! Writing: one document for each call, with `ExternalCode` as the key that the server checks.

use std::borrow::Cow;
use std::sync::Arc;

use milkrun_core::record::plain_text;
use milkrun_core::{
    Context, Delivery, Error, ErrorKind, Operation, Receipt, Record, Result, Sink, TargetSpec, async_trait,
};

use crate::client::Client;
use crate::envelope::{self, object};
use crate::filter::quoted;
use crate::query::assemble;
use crate::source::check;
use crate::streams::Style;
use crate::targets::{EXTERNAL_CODE, LookUp, TargetConfig};

/// One organisation, ready to be written to.
#[derive(Debug)]
pub(crate) struct TplusSink {
    client: Arc<Client>,
    /// In the order of `specs`.
    targets: Vec<TargetConfig>,
    specs: Vec<TargetSpec>,
    prefix: String,
}

impl TplusSink {
    pub(crate) fn new(client: Arc<Client>, targets: Vec<TargetConfig>, prefix: String) -> Self {
        let specs = targets.iter().map(TargetConfig::spec).collect();
        Self { client, targets, specs, prefix }
    }

    fn target(&self, name: &str) -> Result<&TargetConfig> {
        let target = self.targets.iter().find(|target| target.name == name);
        target.ok_or_else(|| Error::config("the account has no such target").with("target", name))
    }
}

/// Why a changed document is not sent.
const NO_UPDATE: &str = "it was delivered before and has changed since, and documents at T+ can only be created: change \
                         or delete it there";

/// Words for a document that is there already.
const DUPLICATE: [&str; 5] = ["重复", "已存在", "已经存在", "duplicate", "already exist"];
/// Words for the key of documents.
const THE_KEY: [&str; 4] = ["外部", "externalcode", "external code", "external_code"];

/// Whether the vendor's words say that this key is taken. Its code for that is not known.
fn says_that_the_key_is_taken(error: &Error) -> bool {
    let message = error.message().to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| message.contains(word));
    has(&DUPLICATE) && has(&THE_KEY)
}

/// Whether the vendor itself, not its gateway, says that it did not take the document.
fn is_refusal(error: &Error) -> bool {
    let by_vendor = error.fact("vendor_code").is_some() && error.fact("http_status").is_none();
    matches!(error.kind(), ErrorKind::Refused | ErrorKind::Unexpected) && by_vendor
}

#[async_trait]
impl Sink for TplusSink {
    fn targets(&self) -> &[TargetSpec] {
        &self.specs
    }

    async fn check(&self, cx: &Context) -> Result<()> {
        check(&self.client, cx).await
    }

    async fn deliver(&self, cx: &Context, batch: &[Delivery]) -> Result<Vec<Receipt>> {
        let mut receipts = Vec::with_capacity(batch.len());
        for delivery in batch {
            match self.create(cx, delivery).await {
                Ok(receipt) => receipts.push(receipt),
                Err(error) if receipts.is_empty() => return Err(error.with("target", &delivery.target)),
                Err(error) => {
                    // The first ones are there: the whole batch cannot fail any more.
                    receipts.resize(batch.len(), Receipt::Unknown { reason: format!("not sent: {error}") });
                    break;
                }
            }
        }
        Ok(receipts)
    }

    async fn look_up(&self, cx: &Context, delivery: &Delivery) -> Result<Option<Receipt>> {
        let target = self.target(&delivery.target)?;
        if matches!(delivery.operation, Operation::Update { .. }) {
            return Ok(Some(Receipt::Refused { reason: NO_UPDATE.to_owned() }));
        }
        let Some(look_up) = &target.look_up else {
            // Never needed: it is sent again, and the server refuses a second one of that key.
            return Ok(Some(Receipt::Unknown { reason: "such documents cannot be asked for".to_owned() }));
        };
        let (_, code) = self.document(target, delivery)?;
        let found = self.find(cx, look_up, &code).await.map_err(|error| error.with("external_code", &code))?;
        Ok(found.map(|id| Receipt::Same { remote_id: Some(id) }))
    }
}

impl TplusSink {
    /// The body of a create, and the document's `ExternalCode`: its own, or the source's key.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`] if the document is no object, or its `ExternalCode` no plain value.
    fn document(&self, target: &TargetConfig, delivery: &Delivery) -> Result<(String, String)> {
        let refused = |message| Error::new(ErrorKind::Refused, message);
        let document =
            Record::parse(delivery.document.as_str()).map_err(|_| refused("the document is no JSON object"))?;
        let own = match document.get(EXTERNAL_CODE) {
            None | Some("null") => None,
            Some(json) => {
                let text = plain_text(json).ok_or_else(|| refused("`ExternalCode` is a list or an object"))?;
                Some(text).filter(|text| !text.trim().is_empty())
            }
        };
        let (text, code) = if let Some(code) = own {
            (Cow::Borrowed(document.text()), code.into_owned())
        } else {
            let code = format!("{}{}", self.prefix, delivery.key);
            let quoted = quoted(&code);
            let rest = document.fields().filter(|(name, _)| *name != EXTERNAL_CODE);
            (Cow::Owned(object([(EXTERNAL_CODE, quoted.as_str())].into_iter().chain(rest))), code)
        };
        Ok((object([(target.wrapper.as_str(), &*text)]), code))
    }

    async fn create(&self, cx: &Context, delivery: &Delivery) -> Result<Receipt> {
        let target = self.target(&delivery.target)?;
        if matches!(delivery.operation, Operation::Update { .. }) {
            return Ok(Receipt::Refused { reason: NO_UPDATE.to_owned() });
        }
        let (body, code) = match self.document(target, delivery) {
            Ok(document) => document,
            Err(error) => return Ok(Receipt::Refused { reason: error.to_string() }),
        };
        let error = match cx.call(self.client.call(&target.endpoint, body).not_idempotent()).await {
            Ok(answer) => match envelope::created(&answer.body) {
                Ok(id) => return Ok(Receipt::Done { remote_id: Some(self.id(cx, target, id, code).await) }),
                Err(error) => error,
            },
            Err(error) => error,
        };
        if is_refusal(&error) {
            return Ok(self.refused(cx, target, &code, &error).await);
        }
        let receipts = Receipt::of_failed_call(error, 1)?;
        Ok(receipts.into_iter().next().expect("one receipt for one delivery"))
    }

    /// The document's id: as given, or read back by its `ExternalCode`, or that code itself.
    ///
    /// A document without an id would be created anew when its record changes, and the refusal of that would be taken
    /// for the change having arrived.
    async fn id(&self, cx: &Context, target: &TargetConfig, given: Option<String>, code: String) -> String {
        if let Some(id) = given {
            return id;
        }
        let Some(look_up) = &target.look_up else { return code };
        self.find(cx, look_up, &code).await.ok().flatten().unwrap_or(code)
    }

    /// What a refusal means: the document may be there from an earlier attempt, whatever the words are.
    async fn refused(&self, cx: &Context, target: &TargetConfig, code: &str, error: &Error) -> Receipt {
        let is_taken = says_that_the_key_is_taken(error);
        let Some(look_up) = &target.look_up else {
            if is_taken {
                return Receipt::Same { remote_id: Some(code.to_owned()) };
            }
            return Receipt::Refused { reason: error.to_string() };
        };
        match self.find(cx, look_up, code).await {
            Ok(Some(id)) => Receipt::Same { remote_id: Some(id) },
            Ok(None) if is_taken => Receipt::Unknown {
                reason: format!("T+ says that `ExternalCode` {code} is taken, and does not find it: {error}"),
            },
            Ok(None) => Receipt::Refused { reason: error.to_string() },
            Err(cause) => Receipt::Unknown { reason: format!("{error}; and looking it up failed: {cause}") },
        }
    }

    /// The id of the document with that `ExternalCode`; `None` if there is none.
    ///
    /// # Errors
    /// [`ErrorKind::Incoherent`] if the vendor gives other documents, so that it did not heed the condition, or several.
    async fn find(&self, cx: &Context, look_up: &LookUp, code: &str) -> Result<Option<String>> {
        let quoted_code = quoted(code);
        let condition = (look_up.condition.as_str(), quoted_code.as_str());
        let body = match look_up.style {
            Style::Query => {
                let fields = quoted(&format!("{},Code,{}", look_up.id, look_up.code));
                let paging = [("PageIndex", "1"), ("PageSize", "20")];
                let inner = object(paging.into_iter().chain([condition, ("SelectFields", &fields)]));
                object([("param", inner.as_str())])
            }
            Style::VoucherList => {
                let columns = format!("[{},{}]", quoted(&look_up.id), quoted(&look_up.code));
                let conditions = object([condition]);
                object([
                    ("selectFields", columns.as_str()),
                    ("paramDic", &conditions),
                    ("pageIndex", "1"),
                    ("pageSize", "20"),
                ])
            }
        };
        let answer = cx.call(self.client.call(&look_up.endpoint, body)).await?;
        let records = match look_up.style {
            Style::Query => envelope::list(&answer.body)?.records,
            Style::VoucherList => {
                let table = envelope::table(&answer.body, &[look_up.id.clone(), look_up.code.clone()])?;
                assemble(&table.rows)?.0
            }
        };
        let text = |record: &Record, path: &str| record.at(path).and_then(|json| Some(plain_text(&json)?.into_owned()));
        let mut own = records.iter().filter(|record| text(record, &look_up.code).is_some_and(|own| own == code));
        let incoherent = |message| {
            let error = Error::new(ErrorKind::Incoherent, message).with("endpoint", &look_up.endpoint);
            Err(error.with("external_code", code).with("rows", records.len()))
        };
        match (own.next(), own.next()) {
            (None, _) if records.is_empty() => Ok(None),
            (None, _) => incoherent("T+ gives documents of other keys than the one that was asked for"),
            (Some(record), None) => match text(record, &look_up.id) {
                Some(id) => Ok(Some(id)),
                None => incoherent("T+ gives a document without an id"),
            },
            (Some(_), Some(_)) => incoherent("T+ has several documents with one key"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use milkrun_core::{Key, SinkKind};
    use milkrun_testkit::http::{Reply, Request};

    use super::*;
    use crate::fixture::Stage;

    const TAKEN: &str = r#"{"code":"999","message":"外部系统数据编号重复","data":null}"#;
    const NOT_FOUND: &str = r#"{"code":"0","data":{"Columns":[],"Rows":[],"TotalPageNum":0,"TotalCount":0}}"#;

    fn delivery(target: &str, document: &str) -> Delivery {
        Delivery {
            target: target.to_owned(),
            key: Key::of("20260105017"),
            operation: Operation::Insert,
            idempotency_key: "0".repeat(32),
            document: document.to_owned(),
            attempts: 0,
        }
    }

    /// A vendor that answers creates so, and look-ups so; a look-up's `CODE` is the one that was asked for.
    async fn stage(create: &'static str, look_up: &'static str) -> Stage {
        let more = "access_token = 'live'\nexternal_code_prefix = 'KM-'";
        Stage::start(more, move |request| {
            if request.path.ends_with("/Create") {
                return Reply::json(create);
            }
            let json: serde_json::Value = serde_json::from_str(&request.body).unwrap();
            let code = json["paramDic"]["ExternalCode"].as_str().or(json["param"]["ExternalCode"].as_str()).unwrap();
            Reply::json(look_up.replace("CODE", code))
        })
        .await
    }

    fn sink(stage: &Stage) -> Arc<dyn Sink> {
        let Some(SinkKind::Calls(sink)) = &stage.account.sink else { panic!("the sink is called") };
        Arc::clone(sink)
    }

    async fn deliver(stage: &Stage, delivery: Delivery) -> Result<Receipt> {
        sink(stage).deliver(&stage.cx, &[delivery]).await.map(|mut receipts| receipts.remove(0))
    }

    const FOUND: &str = r#"{"code":"0","data":{"Columns":["SaleDelivery.ID","SaleDelivery.ExternalCode"],
        "Rows":[["6","CODE-1"],[1999234567890123456,"CODE"]],"TotalPageNum":1,"TotalCount":2}}"#;

    #[tokio::test]
    async fn a_document_goes_out_byte_for_byte_with_its_key() {
        let stage = stage("null", FOUND).await;
        let document = include_str!("../tests/fixtures/sale-delivery.json").trim_end();
        let receipt = deliver(&stage, delivery("sale-delivery", document)).await.unwrap();
        // `null` says nothing of the id, so it is read back.
        assert_eq!(receipt, Receipt::Done { remote_id: Some("1999234567890123456".to_owned()) });
        let requests = stage.server.requests();
        assert_eq!(requests[0].body, format!("{{\"dto\":{document}}}"));
        assert_eq!(stage.paths(), ["/saleDelivery/Create", "/SaleDeliveryOpenApi/FindVoucherList"]);
        let asked = r#"{"selectFields":["SaleDelivery.ID","SaleDelivery.ExternalCode"],"paramDic":{"ExternalCode":"WDT-2026010500017"},"pageIndex":1,"pageSize":20}"#;
        assert_eq!(requests[1].body, asked);
    }

    #[tokio::test]
    async fn the_sources_key_serves_where_the_mapping_sets_none() {
        for document in
            [r#"{"VoucherDate":"2026-01-05","n":1.50}"#, r#"{"ExternalCode":" ","VoucherDate":"2026-01-05","n":1.50}"#]
        {
            let stage = stage("\"17\"", NOT_FOUND).await;
            let receipt = deliver(&stage, delivery("sale-delivery", document)).await.unwrap();
            assert_eq!(receipt, Receipt::Done { remote_id: Some("17".to_owned()) });
            let sent = r#"{"dto":{"ExternalCode":"KM-20260105017","VoucherDate":"2026-01-05","n":1.50}}"#;
            assert_eq!(stage.server.requests()[0].body, sent);
        }
    }

    #[tokio::test]
    async fn what_each_answer_to_a_create_becomes() {
        let unheard = r#"{"code":"EXSV0099","message":"存货不存在","data":null}"#;
        let others =
            r#"{"code":"0","data":{"Columns":["SaleDelivery.ID","SaleDelivery.ExternalCode"],"Rows":[["6","X"]]}}"#;
        let twice = r#"{"code":"0","data":{"Columns":["SaleDelivery.ID","SaleDelivery.ExternalCode"],
            "Rows":[["6","CODE"],["7","CODE"]]}}"#;
        let cases = [
            ("sale-delivery", "null", FOUND),
            ("sale-delivery", "null", NOT_FOUND),
            ("sale-delivery", "null", "null"),
            ("sale-delivery", "\"17\"", NOT_FOUND),
            ("sale-delivery", r#"{"code":"0","message":"","data":{"ID":17}}"#, NOT_FOUND),
            ("sale-delivery", TAKEN, FOUND),
            ("sale-delivery", TAKEN, NOT_FOUND),
            ("sale-delivery", TAKEN, others),
            ("sale-delivery", TAKEN, twice),
            ("sale-delivery", r#"{"code":"999","message":"单据编号重复","data":null}"#, FOUND),
            ("sale-delivery", r#"{"code":"999","message":"单据编号重复","data":null}"#, NOT_FOUND),
            ("sale-delivery", unheard, NOT_FOUND),
            ("sale-delivery", unheard, "null"),
            ("sale-delivery", r#"{"code":"EXSV0011","message":"服务调用异常","data":null}"#, NOT_FOUND),
            ("sale-delivery", "<html></html>", NOT_FOUND),
            ("sale-delivery", "[]", NOT_FOUND),
            ("sale-delivery", r#"{"error":"busy"}"#, NOT_FOUND),
            ("voucher", "null", ""),
            ("voucher", TAKEN, ""),
            ("voucher", unheard, ""),
            (
                "sale-order",
                TAKEN,
                r#"{"Data":[{"ID":1999234567890123456,"Code":"X","ExternalCode":"CODE"}],"TotalCount":1}"#,
            ),
            ("purchase-order", TAKEN, r#"[{"ID":"9","ExternalCode":"CODE"}]"#),
            ("purchase-order", TAKEN, r#"[{"ID":"9"}]"#),
        ];
        let mut lines = Vec::new();
        for (target, create, look_up) in cases {
            let stage = stage(create, look_up).await;
            let receipt = deliver(&stage, delivery(target, "{}")).await.unwrap();
            let look_up = look_up.split_whitespace().collect::<String>();
            lines.push(format!("{target} {create}, then {look_up:.60}\n  {receipt:?}, {} calls", stage.paths().len()));
        }
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[tokio::test]
    async fn only_what_certainly_had_no_effect_is_an_error() {
        for (status, body, kind) in [
            (401, r#"{"code":"50112","message":"","data":null}"#, ErrorKind::QuotaExceeded),
            (403, r#"{"code":"50000","message":"","data":null}"#, ErrorKind::Forbidden),
            (404, "", ErrorKind::ConfigInvalid),
        ] {
            let answer = move |_: &Request| Reply::new(status, "application/json", body);
            let stage = Stage::start("access_token = 'live'", answer).await;
            assert_eq!(deliver(&stage, delivery("sale-delivery", "{}")).await.unwrap_err().kind(), kind, "{status}");
            assert_eq!(stage.server.n_requests(), 1);
        }
        let gateway = |_: &Request| Reply::new(502, "text/html", "<html>");
        let stage = Stage::start("access_token = 'live'", gateway).await;
        let receipt = deliver(&stage, delivery("sale-delivery", "{}")).await.unwrap();
        assert!(matches!(receipt, Receipt::Unknown { .. }), "{receipt:?}");
        assert_eq!(stage.server.n_requests(), 1, "a create is not sent twice");
    }

    #[tokio::test]
    async fn throttling_is_waited_out_and_a_dead_token_renewed() {
        let n_calls = Mutex::new(0);
        let stage = Stage::start("refresh_token = 'r'", move |request| {
            if request.path.starts_with("/auth/") {
                return Reply::json(include_str!("../tests/fixtures/token-envelope-a.json"));
            }
            let mut n_calls = n_calls.lock().unwrap();
            *n_calls += 1;
            match *n_calls {
                1 => Reply::new(401, "application/json", include_str!("../tests/fixtures/error-token-expired.json")),
                2 => Reply::new(409, "application/json", r#"{"error":"busy"}"#).header("retry-after", "0"),
                _ => Reply::json("\"17\""),
            }
        })
        .await;
        let receipt = deliver(&stage, delivery("sale-delivery", "{}")).await.unwrap();
        assert_eq!(receipt, Receipt::Done { remote_id: Some("17".to_owned()) });
    }

    #[tokio::test]
    async fn changed_documents_and_broken_ones_are_not_sent() {
        let stage = stage("null", FOUND).await;
        let update = Operation::Update { remote_id: "17".to_owned() };
        let changed = Delivery { operation: update, ..delivery("sale-delivery", "{}") };
        let broken = ["[]", r#"{"ExternalCode":{}}"#].map(|text| delivery("sale-delivery", text));
        for delivery in [changed.clone()].into_iter().chain(broken) {
            let receipt = deliver(&stage, delivery).await.unwrap();
            assert!(matches!(receipt, Receipt::Refused { .. }), "{receipt:?}");
        }
        let receipt = sink(&stage).look_up(&stage.cx, &changed).await.unwrap();
        assert!(matches!(receipt, Some(Receipt::Refused { .. })), "its first version must not pass for it");
        assert_eq!(stage.server.n_requests(), 0);
        assert!(deliver(&stage, delivery("no-such-target", "{}")).await.is_err());
    }

    #[tokio::test]
    async fn an_unknown_outcome_is_looked_up() {
        let look_up = async |target: &str, answer: &'static str| {
            let stage = stage("null", answer).await;
            let receipt = sink(&stage).look_up(&stage.cx, &delivery(target, "{}")).await;
            (receipt, stage.paths().len())
        };
        let id = Some("1999234567890123456".to_owned());
        assert_eq!(look_up("sale-delivery", FOUND).await.0.unwrap(), Some(Receipt::Same { remote_id: id }));
        assert_eq!(look_up("sale-delivery", NOT_FOUND).await.0.unwrap(), None);
        assert_eq!(look_up("sale-delivery", "null").await.0.unwrap_err().kind(), ErrorKind::Malformed);
        let (receipt, n_calls) = look_up("voucher", "").await;
        assert!(matches!(receipt.unwrap(), Some(Receipt::Unknown { .. })), "nobody can be asked");
        assert_eq!(n_calls, 0);
    }

    #[tokio::test]
    async fn after_the_first_of_a_batch_nothing_is_an_error() {
        let n_calls = Mutex::new(0);
        let stage = Stage::start("access_token = 'live'", move |_| {
            let mut n_calls = n_calls.lock().unwrap();
            *n_calls += 1;
            if *n_calls == 1 { Reply::json("\"17\"") } else { Reply::new(404, "text/plain", "") }
        })
        .await;
        let batch = vec![delivery("voucher", "{}"); 3];
        let receipts = sink(&stage).deliver(&stage.cx, &batch).await.unwrap();
        assert!(matches!(receipts[..], [Receipt::Done { .. }, Receipt::Unknown { .. }, Receipt::Unknown { .. }]));
    }
}
