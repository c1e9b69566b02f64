//! Made-up orders of about 1.66 KB with their lines, in the form of Kuaimai's `erp.trade.list.query`.
//!
//! An order is a function of its number, so the server keeps nothing. Texts and ids vary from order to order, so that
//! compressing a page is about as hard as in real life.

use std::sync::LazyLock;

/// Orders whose times lie evenly in `[from, until)`, in milliseconds since 1970.
#[derive(Clone, Copy, Debug)]
pub struct Set {
    /// How many.
    pub n: u64,
    /// The time of the first one.
    pub from: i64,
    /// The time after the last one.
    pub until: i64,
    /// If given, the orders are changed versions of older ones, scattered over so many keys; else they are new.
    pub over: Option<u64>,
}

/// Numbers of orders with their times.
#[derive(Clone, Debug, Default)]
pub struct World(pub Vec<Set>);

/// A prime, so that steps of it visit every key before one comes twice, and a large one, so that they scatter.
const STEP: u64 = 618_033_988_749_911;

impl Set {
    /// The first order at or after `time`.
    fn first_at(&self, time: i64) -> u64 {
        let (span, n) = (i128::from(self.until - self.from).max(1), i128::from(self.n));
        // The smallest index whose doubled and odd number of half steps is enough.
        let halves = (i128::from(time) - i128::from(self.from)) * 2 * n - span;
        u64::try_from(-(-halves).div_euclid(2 * span)).unwrap_or(0).min(self.n)
    }

    /// In the middle of its step, so that none lies on the edge of a window that begins with the set.
    fn time_of(&self, index: u64) -> i64 {
        let halves = i128::from(self.until - self.from) * (2 * i128::from(index) + 1);
        self.from + i64::try_from(halves / (2 * i128::from(self.n))).expect("within the span")
    }
}

impl World {
    /// How many orders changed in `[from, until]`, and those of one page of them, newest first, written as a list.
    pub fn page(&self, from: i64, until: i64, number: u64, size: u64) -> (u64, String) {
        let found = |set: &Set| (set.first_at(from), set.first_at(until + 1));
        let total = self.0.iter().map(found).map(|(first, end)| end - first).sum();
        let mut skip = (number.max(1) - 1).saturating_mul(size);
        let mut left = size;
        let mut out = String::with_capacity(usize::try_from(size).unwrap_or(0) * 1_800 + 64);
        out.push('[');
        // The sets are given oldest first.
        for (set, position) in self.0.iter().zip(0..).collect::<Vec<_>>().into_iter().rev() {
            let (first, end) = found(set);
            let skipped = skip.min(end - first);
            skip -= skipped;
            for index in (first..end - skipped).rev().take(usize::try_from(left).unwrap_or(0)) {
                left -= 1;
                if out.len() > 1 {
                    out.push(',');
                }
                let key = set.over.map_or(index, |over| scattered(index + position * set.n, over));
                order(&mut out, key, set.time_of(index), set.over.is_some());
            }
        }
        out.push(']');
        (total, out)
    }
}

/// The key of a changed order: up to the number of keys, each index has another one, in no order.
fn scattered(index: u64, over: u64) -> u64 {
    let at = u128::from(index) * u128::from(STEP) % u128::from(over.max(1));
    u64::try_from(at).expect("a remainder is smaller than its divisor")
}

const SHOPS: [&str; 5] = ["示例旗舰店", "晴空家居专营店", "北山户外", "小满母婴官方店", "木石文具"];
const PLACES: [(&str, &str); 6] = [
    ("浙江省", "杭州市"),
    ("广东省", "深圳市"),
    ("四川省", "成都市"),
    ("山东省", "青岛市"),
    ("江苏省", "苏州市"),
    ("湖北省", "武汉市"),
];
const GOODS: [&str; 8] =
    ["短袖T恤", "防晒衣", "双肩包", "保温杯 480ml", "儿童雨靴", "记号笔 12支", "折叠椅", "棉麻床单 1.8m"];
const COLOURS: [&str; 6] = ["红 L", "藏青 XL", "米白 M", "墨绿 S", "卡其 XXL", "黑 均码"];
const STATES: [&str; 4] = ["WAIT_SEND_GOODS", "WAIT_BUYER_CONFIRM_GOODS", "TRADE_FINISHED", "WAIT_AUDIT"];

/// 64 bits that depend on both numbers (splitmix64).
fn mix(key: u64, salt: u64) -> u64 {
    let mut z = key.wrapping_add(salt.wrapping_mul(0x9E37_79B9_7F4A_7C15)).wrapping_add(0x2545_F491_4F6C_DD1D);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn pick<T: Copy, const N: usize>(from: [T; N], number: u64) -> T {
    from[usize::try_from(number % N as u64).expect("below a length")]
}

/// Appends a number without the machinery of formatting: the server shares the machine with what is measured.
fn digits(out: &mut String, mut number: u64) {
    let mut text = [0; 20];
    let mut at = text.len();
    loop {
        at -= 1;
        text[at] = b'0' + u8::try_from(number % 10).expect("a digit");
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.push_str(str::from_utf8(&text[at..]).expect("digits"));
}

/// Appends an amount as decimal text, such as `42.05`.
fn amount(out: &mut String, fen: u64) {
    digits(out, fen / 100);
    out.push('.');
    out.push(char::from(b'0' + u8::try_from(fen / 10 % 10).expect("a digit")));
    out.push(char::from(b'0' + u8::try_from(fen % 10).expect("a digit")));
}

/// The order, `@name@` in place of what varies.
const ORDER: &str = concat!(
    r#"{"sid":@sid@,"shortId":@short@,"tid":"@tid@","userId":@user@,"shopName":"@shop@","source":"jd","companyId":10001,"#,
    r#""type":"4,99,0","sysStatus":"@status@","unifiedStatus":"@status@","buyerNick":"张**@buyer@","#,
    r#""receiverState":"@state@","receiverCity":"@city@","receiverMobile":null,"warehouseId":36001,"#,
    r#""warehouseName":"默认仓库","payment":"@paid@","payAmount":"@paid@","postFee":"0","discountFee":"@discount@","#,
    r#""totalFee":"@total@","cost":@cost@,"grossProfit":@profit@,"weight":0.35,"created":@created@,"#,
    r#""payTime":@pay_time@,"consignTime":946656000000,"endTime":946656000000,"updTime":@time@,"#,
    r#""modified":946656000000,"isExcep":0,"exceptions":[],"isRefund":0,"isHalt":0,"splitSid":-1,"splitType":-1,"#,
    r#""tradeTags":[],"orders":[@lines@]}"#,
);
/// One of its lines.
const LINE: &str = concat!(
    r#"{"id":@line@,"sid":@sid@,"oid":@oid@,"tid":"@tid@","num":1,"giftNum":0,"type":0,"itemSysId":@item@,"#,
    r#""skuSysId":-1,"sysOuterId":"SKU@sku@","sysItemOuterId":"ITEM-@item_no@","outerSkuId":null,"#,
    r#""skuId":"1000@sku@@item_no@","sysTitle":"@goods@ @colour@","price":"@price@","payment":"@price@","#,
    r#""divideOrderFee":"@price@","totalFee":"@price@","discountFee":"0.00","discountRate":100,"cost":@price@,"#,
    r#""stockNum":1,"stockStatus":"NORMAL","refundStatus":"NO_REFUND","sysStatus":"@status@","payTime":@pay_time@,"#,
    r#""created":@created@,"consignTime":946656000000,"updTime":@time@,"suits":null}"#,
);

/// What varies from order to order.
#[derive(Clone, Copy, Debug)]
struct Facts {
    key: u64,
    time: u64,
    changed: bool,
    /// Of the line that is being written.
    line: u64,
}

/// The parts of a template: text, and names that stand for values.
fn parts(template: &'static str) -> Vec<(&'static str, bool)> {
    template.split('@').enumerate().map(|(i, part)| (part, i % 2 == 1)).collect()
}

fn fill(out: &mut String, template: &[(&'static str, bool)], facts: Facts) {
    for (part, is_name) in template {
        if *is_name { value(out, part, facts) } else { out.push_str(part) }
    }
}

/// Appends the order of that key as it is at `time`.
fn order(out: &mut String, key: u64, time: i64, changed: bool) {
    static PARTS: LazyLock<Vec<(&str, bool)>> = LazyLock::new(|| parts(ORDER));
    let time = u64::try_from(time).unwrap_or(0);
    fill(out, &PARTS, Facts { key, time, changed, line: 0 });
}

fn lines(out: &mut String, facts: Facts) {
    static PARTS: LazyLock<Vec<(&str, bool)>> = LazyLock::new(|| parts(LINE));
    for line in 0..n_lines(facts.key) {
        if line > 0 {
            out.push(',');
        }
        fill(out, &PARTS, Facts { line, ..facts });
    }
}

/// Two of three orders have one line, the others two.
fn n_lines(key: u64) -> u64 {
    1 + u64::from(mix(key, 6).is_multiple_of(3))
}

fn value(out: &mut String, name: &str, facts: Facts) {
    let Facts { key, time, changed, line } = facts;
    let sid = 5_973_932_000_000_000 + key;
    let tid = 2_461_234_500_000_000_000 + mix(key, 1) % 99_999_999_999;
    let created = (time - time % 1_000).saturating_sub(mix(key, 2) % 5_000_000);
    let price = 900 + mix(key, 5) % 30_000;
    let total = price * n_lines(key);
    let discount = mix(key, 7) % 900;
    let item = mix(key, 20 + line);
    match name {
        "sid" => digits(out, sid),
        "short" => digits(out, key % 100_000),
        "tid" => digits(out, tid),
        "user" => digits(out, 900_000_000 + mix(key, 8) % 5),
        "shop" => out.push_str(pick(SHOPS, mix(key, 8))),
        "status" => out.push_str(pick(STATES, mix(key, 4) + u64::from(changed))),
        "buyer" => digits(out, mix(key, 9) % 10_000),
        "state" => out.push_str(pick(PLACES, mix(key, 3)).0),
        "city" => out.push_str(pick(PLACES, mix(key, 3)).1),
        "paid" => amount(out, total - discount),
        "discount" => amount(out, discount),
        "total" => amount(out, total),
        "cost" => amount(out, total / 2),
        "profit" => amount(out, total - total / 2 - discount / 2),
        "created" => digits(out, created),
        "pay_time" => digits(out, created + 30_000),
        "time" => digits(out, time),
        "lines" => lines(out, facts),
        "line" => digits(out, 7_000_000_000_000_000_000 + key * 4 + line),
        "oid" => digits(out, tid + line),
        "item" => digits(out, 4_387_287_100_000_000 + item % 99_999_999),
        "item_no" => digits(out, 1_000 + item % 9_000),
        "sku" => digits(out, 100_000 + item % 900_000),
        "goods" => out.push_str(pick(GOODS, item / 7)),
        "colour" => out.push_str(pick(COLOURS, item / 77)),
        "price" => amount(out, price),
        _ => unreachable!("the templates name nothing else"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn sids(list: &str) -> Vec<u64> {
        let rows: Vec<serde_json::Value> = serde_json::from_str(list).unwrap();
        rows.iter().map(|row| row["sid"].as_u64().unwrap()).collect()
    }

    #[test]
    fn windows_cut_a_set_without_loss() {
        let world = World(vec![Set { n: 1_000, from: 0, until: 86_400_000, over: None }]);
        let mut seen = BTreeSet::new();
        for window in 0..8 {
            // As the connector asks: the upper end is the next window's lower end.
            let (total, list) = world.page(window * 10_800_000, (window + 1) * 10_800_000, 1, 200);
            assert_eq!(total, 125);
            let page = sids(&list);
            assert!(page.is_sorted_by(|a, b| a > b));
            seen.extend(page);
        }
        assert_eq!(seen.len(), 1_000);
        assert_eq!(world.page(-5, 0, 1, 10).0, 0);
        assert_eq!(sids(&world.page(0, 86_400_000, 10, 111).1).len(), 1);
        assert_eq!(world.page(0, 86_400_000, 11, 111).1, "[]");
    }

    #[test]
    fn sets_follow_each_other() {
        let new = Set { n: 10, from: 0, until: 1_000, over: None };
        let world = World(vec![new, Set { n: 4, from: 1_000, until: 2_000, over: Some(10) }]);
        let (total, list) = world.page(0, 2_000, 1, 6);
        assert_eq!((total, sids(&list).len()), (14, 6));
        assert_eq!(sids(&world.page(0, 2_000, 3, 6).1).len(), 2);
        assert_eq!(world.page(0, 1_000, 1, 20).0, 10);
        assert_eq!(world.page(1_000, 2_000, 1, 20).0, 4);
    }

    #[test]
    fn changed_orders_are_scattered_and_each_is_there_once() {
        let keys: BTreeSet<u64> = (0..1_000_000).map(|index| scattered(index, 1_000_000)).collect();
        assert_eq!(keys.len(), 1_000_000);
        assert!(scattered(1, 1_000_000) > 1_000 && scattered(1, 1_000_000).abs_diff(scattered(2, 1_000_000)) > 1_000);
    }

    #[test]
    fn an_order_is_as_long_as_measured_elsewhere() {
        let world = World(vec![Set { n: 1_000, from: 1_785_513_600_000, until: 1_785_600_000_000, over: None }]);
        let (_, list) = world.page(1_785_513_600_000, 1_785_600_000_000, 1, 1_000);
        let each = list.len() / 1_000;
        assert!((1_620..1_700).contains(&each), "{each} bytes");
    }
}
