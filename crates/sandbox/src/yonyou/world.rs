//! What the seed gives: each document of the simulated tenant as it stands at the start.

use super::awkward;
use super::entity::Entity;
use super::settings::{IdForm, Settings};
use super::store::Doc;
use crate::beijing;
use crate::dice::Dice;
use crate::tree::Tree;

const FIRST_ID: i64 = 2_006_712_890_913_456_134;
const FIRST_PARTNER: i64 = 2_057_714_685_366_528_001;
const FIRST_PRODUCT: i64 = 1_730_491_724_599_552_001;
const ORG: i64 = 1_730_475_987_734_784_000;
const PRODUCTS: [&str; 6] = ["轴承座", "密封圈", "深沟球轴承", "六角螺栓M8", "导轨\"A\"型", "油封 & 垫片"];
const PARTNERS: [&str; 5] = ["华东轴承", "示例机电", "南方物资", "北方工贸", "海右商行"];

/// How an id is written.
pub(crate) fn id(form: IdForm, id: i64) -> Tree {
    match form {
        IdForm::Texts => Tree::text(id.to_string()),
        IdForm::Mixed if id / 7 % 3 == 0 => Tree::text(id.to_string()),
        IdForm::Mixed | IdForm::Numbers => Tree::int(id),
    }
}

/// One document of the start.
pub(crate) fn doc(settings: &Settings, entity: Entity, seq: u32, modified: i64) -> Doc {
    let number = id_of(entity, seq);
    let mut dice = Dice::new(settings.seed, 6_000 + entity.place(), u64::from(seq));
    let form = settings.ids;
    let pubts = beijing::format(modified);
    let first = entity == Entity::PurchaseOrders && seq == 0;
    let own = if first { Tree::int(number) } else { id(form, number) };
    let mut tree = Tree::object([
        ("id", own),
        ("code", Tree::text(code(entity, seq, modified))),
        ("pubts", Tree::text(pubts)),
        ("memo", Tree::text("v0")),
        ("org", id(form, ORG)),
        ("org_name", Tree::text("一厂")),
    ]);
    match entity {
        Entity::Stock => stock(&mut tree, form, seq, &mut dice),
        Entity::Materials | Entity::Customers | Entity::Suppliers | Entity::Warehouses => {
            let names: &[&str] = if entity == Entity::Materials { &PRODUCTS } else { &PARTNERS };
            tree.set("name", Tree::text(dice.pick(names)));
            tree.set("stopstatus", Tree::Bool(dice.chance(10)));
        }
        _ => document(&mut tree, settings, entity, seq, modified, &mut dice),
    }
    Doc { id: number, modified, version: 0, tree }
}

fn id_of(entity: Entity, seq: u32) -> i64 {
    let place = i64::try_from(entity.place()).expect("few kinds of documents");
    // A document's lines have the ids between it and the next one.
    FIRST_ID + place * 1_000_000_000_000 + i64::from(seq) * 1_009
}

fn code(entity: Entity, seq: u32, modified: i64) -> String {
    match entity {
        Entity::Materials => format!("{:08}", seq + 1),
        Entity::Suppliers => format!("{:010}", 1_000_101 + seq),
        Entity::Warehouses => format!("{:06}", seq + 1),
        _ => {
            let day: String = beijing::format(modified).chars().take(10).filter(|&c| c != '-').collect();
            format!("{}{day}{:06}", entity.facts().prefix, seq + 1)
        }
    }
}

fn stock(tree: &mut Tree, form: IdForm, seq: u32, dice: &mut Dice) {
    let place = i64::from(seq);
    tree.set("warehouse", id(form, FIRST_ID + place % 3));
    tree.set("warehouse_code", Tree::text(format!("{:06}", place % 3 + 1)));
    tree.set("product", id(form, FIRST_PRODUCT + place / 3));
    tree.set("product_code", Tree::text(format!("{:08}", place / 3 + 1)));
    let qty = dice.below(1_000_000_000_000);
    tree.set("currentqty", decimal(qty, dice));
    tree.set("availableqty", decimal(qty - dice.below(qty + 1), dice));
}

fn document(tree: &mut Tree, settings: &Settings, entity: Entity, seq: u32, modified: i64, dice: &mut Dice) {
    let form = settings.ids;
    let partner = dice.below(5);
    let day: String = beijing::format(modified - dice.below(5) * 86_400_000).chars().take(10).collect();
    tree.set("vouchdate", Tree::text(format!("{day} 00:00:00")));
    let buys = matches!(entity, Entity::PurchaseOrders | Entity::PurchaseReceipts);
    let (key, code_key, name_key) =
        if buys { ("vendor", "vendor_code", "vendor_name") } else { ("agentId", "agentId_code", "agentId_name") };
    tree.set(key, id(form, FIRST_PARTNER + partner));
    tree.set(code_key, Tree::text(format!("{:010}", 1_000_101 + partner)));
    tree.set(name_key, Tree::text(PARTNERS[usize::try_from(partner).expect("below five")]));
    tree.set("currency_code", Tree::text("CNY"));
    tree.set("exchRate", Tree::int(1));
    tree.set("status", Tree::int(dice.below(3)));
    let Some(lines_key) = entity.facts().lines else {
        let sum = dice.below(10_000_000_000_000);
        tree.set("oriSum", decimal(sum, dice));
        return;
    };
    let n_lines = 1 + dice.below(4);
    let mut lines = Vec::new();
    for line in 0..n_lines {
        let number = id_of(entity, seq) + 1 + line;
        let product = dice.below(6);
        let (qty, price) = (1 + dice.below(50_000_000_000), dice.below(10_000_000_000));
        let sum = i128::from(qty) * i128::from(price) / 100_000_000;
        let sum = i64::try_from(sum).expect("500 pieces of 100 yuan");
        let first = entity == Entity::PurchaseOrders && seq == 0 && line == 0;
        let awkward = |text: &str, other: Tree| if first { Tree::Number(text.to_owned()) } else { other };
        lines.push(Tree::object([
            ("id", id(form, number)),
            ("rowno", Tree::text((10 * (line + 1)).to_string())),
            ("product", id(form, FIRST_PRODUCT + product)),
            ("product_cCode", Tree::text(format!("{:08}", product + 1))),
            ("product_cName", Tree::text(PRODUCTS[usize::try_from(product).expect("below six")])),
            ("qty", decimal(qty, dice)),
            ("subQty", decimal(qty, dice)),
            ("oriUnitPrice", awkward(awkward::PRICE, decimal(price, dice))),
            ("oriTaxUnitPrice", awkward(awkward::TAX_PRICE, decimal(price / 100 * 113, dice))),
            ("oriSum", awkward(awkward::SUM, decimal(sum, dice))),
            ("invExchRate", awkward(awkward::RATE, Tree::int(1))),
            ("listTaxRate", Tree::int(13)),
            ("memo", if dice.chance(30) { Tree::text("加急") } else { Tree::Null }),
        ]));
    }
    tree.set(lines_key, Tree::List(lines));
}

/// A number of hundred-millionths: with up to 8 decimals, sometimes with trailing zeros.
fn decimal(value: i64, dice: &mut Dice) -> Tree {
    let places = dice.pick(&[0_u32, 0, 2, 2, 4, 8]);
    let cut = value / 10_i64.pow(8 - places);
    let scale = 10_i64.pow(places);
    Tree::Number(match places {
        0 => cut.to_string(),
        _ => format!("{}.{:0width$}", cut / scale, cut % scale, width = places as usize),
    })
}
