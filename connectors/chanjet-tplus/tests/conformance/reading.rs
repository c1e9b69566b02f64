//! The suite against the sandbox, and its answers in all their forms.

use std::collections::BTreeSet;

use milkrun_core::{Key, Record, StreamSpec, connector};
use milkrun_sandbox::chanjet::{
    BoolForm, Columns, DeadToken, IdForm, OkCode, PageEnvelope, QueryEnvelope, Settings, SortOrder, TokenNumbers,
    TsForm, TsName,
};
use milkrun_testkit::conformance::{self, Load, Vendor as _, Waiver};

use crate::sandbox::{Organisation, settings};

async fn organisation() -> Organisation {
    Organisation::start(settings()).await
}

const WHOLE: &str = "inventory-full partners warehouses persons departments projects bills-of-material current-stock \
                     sale-orders sale-order-documents sale-deliveries purchase-orders purchase-order-list \
                     purchase-arrivals purchase-receipts";

#[tokio::test]
async fn conforms() {
    let waivers = [
        Waiver::new("empty", WHOLE, "the sandbox always has some, and they have no window"),
        Waiver::new("one-record", WHOLE, "the sandbox always has more, and they have no window"),
        Waiver::new("one-record", "current-stock-by-warehouse", "the sandbox always has more"),
        Waiver::new("clock-skew", "*", "calls in the cloud carry no time that the vendor looks at"),
    ];
    conformance::check("chanjet-tplus", organisation, &waivers).await;
}

/// All keys of all streams, read to the end.
async fn keys(settings: Settings) -> Vec<(String, BTreeSet<String>)> {
    let organisation = Organisation::start(settings).await;
    let clock = organisation.clock();
    let opened = conformance::open(connector("chanjet-tplus").unwrap(), &organisation, &clock).unwrap();
    let mut all = Vec::new();
    for stream in opened.source().streams() {
        let load = Load::FullPageAndOne;
        let scene = organisation.holds(&clock, stream, load).await.unwrap();
        let mut at = stream.paging.start();
        let mut keys = BTreeSet::new();
        loop {
            let page = opened.page(stream, &scene, &at).await.unwrap();
            keys.extend(page.records.iter().map(|record| key(stream, record)));
            match stream.paging.next(&at, &page, scene.size).unwrap() {
                Some(next) => at = next,
                None => break,
            }
        }
        assert_eq!(keys.len(), scene.n_records, "{}", stream.name);
        all.push((stream.name.clone(), keys));
    }
    all
}

fn key(stream: &StreamSpec, record: &Record) -> String {
    Key::read(record, &stream.key).unwrap_or_else(|| panic!("{record:?}")).to_string()
}

/// Where the vendor's sources disagree, both forms give the same records.
#[tokio::test]
async fn every_form_of_the_answers_is_read() {
    let usual = keys(settings()).await;
    let others = [
        Settings {
            query_envelope: QueryEnvelope::Data,
            warehouse_envelope: QueryEnvelope::ResultData,
            ids: IdForm::Number,
            booleans: BoolForm::Json,
            ts: TsForm::Number,
            ts_name: TsName::Upper,
            ..settings()
        },
        Settings {
            query_envelope: QueryEnvelope::Result,
            page_envelope: PageEnvelope::Result,
            ok_code: OkCode::TwoHundred,
            columns: Columns::Bare,
            ..settings()
        },
        Settings {
            query_envelope: QueryEnvelope::ResultText,
            warehouse_envelope: QueryEnvelope::Array,
            order: SortOrder::Updated,
            ..settings()
        },
    ];
    for other in others {
        assert_eq!(keys(other).await, usual);
    }
}

#[tokio::test]
async fn a_dead_token_is_renewed_in_every_form_of_its_refusal() {
    for (dead_token, token_numbers) in
        [(DeadToken::Code, TokenNumbers::Text), (DeadToken::Message, TokenNumbers::Number)]
    {
        let settings = Settings { dead_token, token_numbers, ..settings() };
        let organisation = Organisation::start(settings).await;
        let clock = organisation.clock();
        let opened = conformance::open(connector("chanjet-tplus").unwrap(), &organisation, &clock).unwrap();
        opened.source().check(&opened.cx).await.unwrap();
        organisation.control.kill_session();
        opened.source().check(&opened.cx).await.unwrap();
        assert_eq!(organisation.n_renewals(), 1);
    }
}
