//! Documents at the sandbox: each arrives once, whatever becomes of the answer.

use std::sync::Arc;

use milkrun_core::{Delivery, Key, Operation, Receipt, Sink, SinkKind, connector};
use milkrun_sandbox::chanjet::{CreateAnswer, Settings};
use milkrun_sandbox::{Fault, FaultRule};
use milkrun_testkit::conformance::{self, Opened};

use crate::sandbox::{Organisation, settings};

/// The targets, their names at the sandbox, and a document that it takes.
const TARGETS: [(&str, &str, &str); 4] = [
    (
        "sale-delivery",
        "saleDelivery",
        r#"{"VoucherDate":"2026-08-01","Customer":{"Code":"C0001"},"Warehouse":{"Code":"W0001"},
            "SaleDeliveryDetails":[{"Inventory":{"Code":"0101-0001"},"Unit":{"Name":"个"},"Quantity":3.50}]}"#,
    ),
    (
        "sale-order",
        "saleOrder",
        r#"{"VoucherDate":"2026-08-01","Customer":{"Code":"C0001"},
            "SaleOrderDetails":[{"Inventory":{"Code":"0101-0001"},"Unit":{"Name":"个"},"Quantity":1}]}"#,
    ),
    (
        "purchase-order",
        "purchaseOrder",
        r#"{"VoucherDate":"2026-08-01","Partner":{"Code":"C0001"},
            "PurchaseOrderDetails":[{"Inventory":{"Code":"0101-0001"},"Unit":{"Name":"个"},"Quantity":1}]}"#,
    ),
    (
        "voucher",
        "doc",
        r#"{"VoucherDate":"2026-08-01","DocType":{"Code":"记"},
            "Entrys":[{"Account":{"Code":"1001"},"AmountDr":"10.00"},{"Account":{"Code":"1002"},"AmountCr":"10.00"}]}"#,
    ),
];

fn delivery(target: &str, document: &str) -> Delivery {
    Delivery {
        target: target.to_owned(),
        key: Key::of("6920000000000000001"),
        operation: Operation::Insert,
        idempotency_key: "0".repeat(32),
        document: document.to_owned(),
        attempts: 0,
    }
}

struct Writer {
    organisation: Organisation,
    opened: Opened,
    sink: Arc<dyn Sink>,
}

impl Writer {
    async fn start(settings: Settings) -> Self {
        let organisation = Organisation::start(settings).await;
        let clock = organisation.clock();
        let opened = conformance::open(connector("chanjet-tplus").unwrap(), &organisation, &clock).unwrap();
        let Some(SinkKind::Calls(sink)) = &opened.account.sink else { panic!("the sink is called") };
        let sink = Arc::clone(sink);
        Self { organisation, opened, sink }
    }

    async fn deliver(&self, delivery: &Delivery) -> Receipt {
        self.sink.deliver(&self.opened.cx, std::slice::from_ref(delivery)).await.unwrap().remove(0)
    }

    /// The ids that the vendor made for the document.
    fn ids(&self, name: &str) -> Vec<String> {
        let received = self.organisation.control.received(name).unwrap();
        let own = received.into_iter().filter(|document| document.key == "6920000000000000001");
        own.flat_map(|document| document.ids).collect()
    }

    fn can_be_asked(&self, target: &str) -> bool {
        let spec = self.sink.targets().iter().find(|spec| spec.name == target).unwrap();
        spec.idempotency.can_be_asked()
    }
}

#[tokio::test]
async fn every_form_of_success_gives_the_id() {
    for created in [CreateAnswer::OfEntity, CreateAnswer::Null, CreateAnswer::Id, CreateAnswer::Object] {
        let writer = Writer::start(Settings { created, ..settings() }).await;
        for (target, name, document) in TARGETS {
            let receipt = writer.deliver(&delivery(target, document)).await;
            let Receipt::Done { remote_id: Some(id) } = receipt else { panic!("{target} {created:?}: {receipt:?}") };
            // A voucher cannot be read back: without an id in the answer it goes by its key.
            let by_key = name == "doc" && created == CreateAnswer::Null;
            assert!(by_key || writer.ids(name) == [id.clone()], "{target} {created:?}: {id}");
        }
    }
}

#[tokio::test]
async fn a_lost_answer_makes_no_second_document() {
    for fault in [Fault::LostAnswer, Fault::Cut, Fault::Truncated] {
        for (target, name, document) in TARGETS {
            let writer = Writer::start(Settings { created: CreateAnswer::Object, ..settings() }).await;
            let path = format!("{name}/Create");
            writer.organisation.control.add_fault(FaultRule::new(fault.clone()).method(&path).next(1));
            let delivery = delivery(target, document);
            let receipt = writer.deliver(&delivery).await;
            assert!(matches!(receipt, Receipt::Unknown { .. }), "{target} {fault:?}: {receipt:?}");
            let ids = writer.ids(name);
            assert_eq!(ids.len(), 1, "{target} {fault:?}");
            // What cannot be looked up is sent again at once.
            if writer.can_be_asked(target) {
                let found = writer.sink.look_up(&writer.opened.cx, &delivery).await.unwrap();
                assert_eq!(found, Some(Receipt::Same { remote_id: Some(ids[0].clone()) }), "{target} {fault:?}");
            } else {
                assert_eq!(target, "voucher", "the only one of which no public material shows how it is asked for");
            }
            let again = writer.deliver(&delivery).await;
            assert!(matches!(again, Receipt::Same { remote_id: Some(_) }), "{target} {fault:?}: {again:?}");
            assert_eq!(writer.ids(name).len(), 1, "{target} {fault:?}");
        }
    }
}

#[tokio::test]
async fn what_never_arrived_is_sent_again() {
    for (target, name, document) in TARGETS {
        let writer = Writer::start(settings()).await;
        let path = format!("{name}/Create");
        writer.organisation.control.add_fault(FaultRule::new(Fault::Reset).method(&path).next(1));
        let delivery = delivery(target, document);
        assert!(matches!(writer.deliver(&delivery).await, Receipt::Unknown { .. }), "{target}");
        if writer.can_be_asked(target) {
            assert_eq!(writer.sink.look_up(&writer.opened.cx, &delivery).await.unwrap(), None, "{target}");
        }
        assert!(matches!(writer.deliver(&delivery).await, Receipt::Done { .. }), "{target}");
        assert_eq!(writer.ids(name).len(), 1, "{target}");
    }
}

#[tokio::test]
async fn what_the_vendor_refuses_is_refused() {
    let writer = Writer::start(settings()).await;
    for (target, name, document) in TARGETS {
        let wrong = document.replace("\"VoucherDate\":\"2026-08-01\",", "");
        let receipt = writer.deliver(&delivery(target, &wrong)).await;
        assert!(matches!(receipt, Receipt::Refused { .. }), "{target}: {receipt:?}");
        assert!(writer.ids(name).is_empty(), "{target}");
    }
}
