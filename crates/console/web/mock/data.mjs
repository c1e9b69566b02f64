// A made-up installation in the shape of `model.rs`: flows that went well, that failed, that run, and their past.

/** A seeded source of numbers from 0 up to 1 (mulberry32). */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const iso = (ms) => new Date(ms).toISOString().replace('.000Z', 'Z');
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const FLOWS = [
  { name: 'orders', source: 'kuaimai-main', stream: 'orders', sink: 'yonyou-mdd', target: 'sales-order', schedule: '0 */10 * * * ?', en: 'every 10 minutes', zh: '每 10 分钟', every: 10 * MINUTE, size: 420, dead: 7 },
  { name: 'refunds', source: 'kuaimai-main', stream: 'after-sale', sink: 'yonyou-mdd', target: 'sales-return', schedule: '0 5/15 * * * ?', en: 'every 15 minutes, from minute 5 on', zh: '每 15 分钟，从第 5 分开始', every: 15 * MINUTE, size: 35, fails: 'token' },
  { name: 'items', source: 'kuaimai-main', stream: 'items', sink: 'files', target: 'items', schedule: '0 30 1 * * ?', en: 'every day at 01:30', zh: '每天 01:30', every: DAY, size: 18_400 },
  { name: 'stock', source: 'kuaimai-main', stream: 'stock', sink: 'tplus-hq', target: 'inventory', schedule: '0 0 * * * ?', en: 'every hour on the hour', zh: '每小时整点', every: HOUR, size: 9_200, runs: true },
  { name: 'jst-orders', source: 'jushuitan-shop', stream: 'orders', sink: 'tplus-hq', target: 'sale-delivery', schedule: '0 2/10 * * * ?', en: 'every 10 minutes, from minute 2 on', zh: '每 10 分钟，从第 2 分开始', every: 10 * MINUTE, size: 260, partial: true },
  { name: 'jst-purchase', source: 'jushuitan-shop', stream: 'purchase-orders', sink: 'yonyou-mdd', target: 'purchase-order', schedule: '0 0 8-20 ? * MON-SAT', en: 'every hour from 08:00 to 20:00, Monday to Saturday', zh: '周一至周六 08:00 至 20:00 每小时', every: HOUR, size: 60 },
  { name: 'vouchers', source: 'tplus-hq', stream: 'vouchers', sink: 'files', target: 'vouchers', schedule: '0 15 2 * * ?', en: 'every day at 02:15', zh: '每天 02:15', every: DAY, size: 740, unreconciled: true },
  { name: 'suppliers-2025-archive', source: 'tplus-hq', stream: 'partners', sink: 'files', target: 'partners', size: 310, hand: true },
];

const REASONS = {
  failed: { en: 'the token is dead and cannot be renewed: authorise the account again with `milkrun login kuaimai-main`', zh: '令牌已失效且无法刷新：请用 `milkrun login kuaimai-main` 重新授权' },
  partial: { en: '2 slices could not be proved complete and stay open', zh: '有 2 个切片未能证明完整，保持未关闭' },
  unreconciled: { en: "the vendor's total is 741, but 740 distinct keys were read", zh: '厂商总数为 741，但读取到的不同主键为 740' },
  letters: { en: '7 records were refused and are dead letters', zh: '有 7 条记录被拒绝，成为死信' },
};

/** The runs of a flow, oldest first. */
function pastOf(flow, now, rand) {
  if (flow.hand) {
    const started = now - 41 * DAY;
    return [{ id: 1, flow: flow.name, started: iso(started), ended: iso(started + 95_000), verdict: 'reconciled', records: flow.size, documents: flow.size, calls: 5 }];
  }
  const runs = [];
  const n = flow.every >= DAY ? 45 : 260;
  const last = Math.floor(now / flow.every) * flow.every - (flow.runs ? flow.every : 0);
  for (let k = n; k >= 0; k -= 1) {
    const id = n - k + 1;
    const started = last - k * flow.every + Math.floor(rand() * 4_000);
    const hour = new Date(started + 8 * HOUR).getUTCHours();
    const busy = flow.every >= DAY ? 1 : 0.25 + Math.max(0, Math.sin(((hour - 6) / 24) * Math.PI * 2)) * 1.2;
    const records = Math.round(flow.size * busy * (0.75 + rand() * 0.5));
    const calls = Math.max(1, Math.ceil(records / 100)) + 1;
    let verdict = 'reconciled';
    if (rand() < 0.015) verdict = 'partial';
    if (flow.fails && k < 6) verdict = 'failed';
    if (flow.partial && k < 2) verdict = 'partial';
    if (flow.unreconciled && k === 0) verdict = 'unreconciled';
    if (flow.dead && k < 1) verdict = 'partial';
    const failed = verdict === 'failed';
    runs.push({
      id,
      flow: flow.name,
      started: iso(started),
      ended: iso(started + (failed ? 1_500 : 3_000 + Math.round(calls * 380 * (0.7 + rand() * 0.6)))),
      verdict,
      records: failed ? 0 : records,
      documents: failed ? 0 : Math.round(records * (flow.name === 'stock' ? 0.3 : 0.92)),
      calls: failed ? 1 : calls,
      hasLetters: Boolean(flow.dead) && k < 1,
    });
  }
  // One of them was killed.
  if (runs.length > 40 && flow.name === 'orders') {
    const cut = runs[runs.length - 18];
    delete cut.ended;
    delete cut.verdict;
  }
  return runs;
}

const NAMES = ['杭州云栖店', '天猫旗舰店', '京东自营', '抖音小店', '拼多多专营'];

function order(rand, k) {
  const tid = `2026112${String(6 + (k % 2))}${String(100000 + Math.floor(rand() * 899999))}`;
  const oid = `69200000000000${String(10000 + k * 37)}`;
  const lines = Array.from({ length: 1 + Math.floor(rand() * 3) }, (_, i) =>
    `{"oid":${oid}${i},"sysSkuId":"SKU-${1000 + Math.floor(rand() * 900)}","title":"有机纯牛奶 ${250 * (1 + Math.floor(rand() * 4))}ml × 12","num":${1 + Math.floor(rand() * 5)},"price":"${(19 + Math.floor(rand() * 80)).toFixed(2)}","payment":"${(19 + Math.floor(rand() * 200)).toFixed(2)}"}`).join(',');
  return {
    tid,
    oid,
    text: `{"tid":"${tid}","sid":${oid}0,"shopName":"${NAMES[k % NAMES.length]}","status":"WAIT_SEND_GOODS","created":1764150${String(100 + k)}000,"modified":1764151${String(200 + k)}000,"payment":"1299.90","postFee":0.00,"weight":1000000000000000.01,"sellerMemo":${k % 3 === 0 ? '"客户要求周五前发货"' : 'null'},"receiverState":"浙江省","receiverCity":"杭州市","buyerTaxNo":${k % 2 ? '""' : '"91330100MA27XXXX0K"'},"orders":[${lines}]}`,
  };
}

/** Makes the installation. `now` is the instant that everything is relative to. */
export function make(now = Date.now()) {
  const rand = random(7);
  const flows = FLOWS.map((flow) => ({ ...flow, past: pastOf(flow, now, rand) }));
  const letters = [];
  const stages = [
    ['mapping', 'field `customer.tax_no`: the value is empty, and the field is required', '字段 `customer.tax_no`：值为空，而该字段为必填'],
    ['mapping', 'field `lines[*].unit_price`: "面议" is not a decimal', '字段 `lines[*].unit_price`：“面议”不是小数'],
    ['target', 'the target refuses it: [10221] 客户档案不存在：杭州云栖店', '目标拒绝：[10221] 客户档案不存在：杭州云栖店'],
    ['unknown', 'a call went out and no clear answer came: connection reset after 30 s', '调用已发出，但没有得到明确答复：30 秒后连接被重置'],
    ['key', 'the key `sid` is missing', '缺少主键 `sid`'],
  ];
  for (let k = 0; k < 7; k += 1) {
    const { tid, oid, text } = order(rand, k);
    const [stage, en, zh] = stages[[0, 0, 1, 2, 3, 0, 4][k]];
    letters.push({
      id: 118 + k * 3, flow: 'orders', key: stage === 'key' ? undefined : `${oid}0`, number: tid, stage,
      reason: { en, zh }, page: 4_471 + k, at: iso(now - (26 - k * 3) * MINUTE), record: text,
    });
  }
  const delivered = Array.from({ length: 40 }, (_, k) => order(rand, 100 + k));
  return { now, flows, letters, delivered, reasons: REASONS };
}

/** What one run looks like with all its figures. */
export function runOf(world, flow, summary, lang) {
  const { records, verdict } = summary;
  const letters = flow.dead && summary.hasLetters ? flow.dead : 0;
  const filtered = Math.round(records * 0.02);
  const unchanged = Math.round(records * 0.06);
  const changed = Math.round(records * 0.11);
  const older = Math.round(records * 0.004);
  const pending = verdict === 'partial' && !letters ? Math.min(records, 3) : 0;
  const fresh = Math.max(0, records - letters - filtered - unchanged - changed - older - pending);
  const open = verdict === 'partial' && !letters ? 2 : verdict === 'failed' ? 4 : 0;
  const slices = flow.every >= DAY ? 12 : 3;
  return {
    summary,
    counts: {
      pages: Math.max(0, summary.calls - 1), records, new: fresh, changed, unchanged, older, filtered, refused: letters, pending,
      documents: summary.documents, open_slices: open, proved_slices: slices, splits: records > 9_000 ? 2 : 0,
      readings_in_vain: verdict === 'partial' ? 3 : 0, expected: open ? 212 : 0,
    },
    proved: verdict === 'failed' ? [] : [
      { plan: 'backwards', slices: slices - 1, distinct: Math.round(records * 0.94), total: Math.round(records * 0.94) },
      { plan: 'read-twice', slices: 1, distinct: records - Math.round(records * 0.94) },
    ],
    open: Array.from({ length: open }, (_, k) => {
      const from = new Date(summary.started).getTime() - (k + 1) * 6 * HOUR;
      return {
        id: 9_100 + k, covers: `${iso(from)} – ${iso(from + 6 * HOUR)}`, from: iso(from), until: iso(from + 6 * HOUR), pages: 4 + k, records: 371 + k * 12,
        reason: lang === 'zh' ? '两次读取之间，总数从 371 变为 374' : 'between two readings the total went from 371 to 374',
      };
    }),
    assumes: lang === 'zh' ? '厂商的 `modified` 只会增大，且列表按它过滤' : "the vendor's `modified` only grows, and its lists filter by it",
    promise: flow.sink === 'files'
      ? (lang === 'zh' ? '每行恰好一次：文件的已提交长度是检查点的一部分' : 'each line exactly once: the committed length of the file is part of the checkpoint')
      : (lang === 'zh' ? '以幂等键发送；一个月内重复发送返回首次结果' : 'sent with an idempotency key; a repetition within a month answers with the first result'),
    ...(flow.sink === 'files' ? { place: `out/${flow.target}.jsonl` } : {}),
  };
}

export { DAY, HOUR, iso, MINUTE };
