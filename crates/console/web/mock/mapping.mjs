// A made-up mapping of a flow, and a rough reading and editing of its text: enough to work on the editor.

const TEXT = `# Orders of the main shop, as sales orders of the headquarters.
source = { account = "kuaimai-main", stream = "orders", since = "2026-01-01" }
sink = { account = "yonyou-mdd", target = "sales-order" }
schedule = "0 */10 * * * ?"

[mapping]
code = { from = "tid" }
# The vendor writes milliseconds.
vouchdate = { from = "created", type = "date" }
"customer.name" = { from = "shopName" }
"customer.tax_no" = { from = "buyerTaxNo", required = true }
amount = { from = "payment", type = "decimal" }
memo = { from = "sellerMemo", default = "" }
currency = { const = "CNY" }

[mapping.lines]
each = "orders"

[mapping.lines.fields]
sku = { from = "sysSkuId" }
qty = { from = "num", type = "decimal" }
unit_price = { from = "price", type = "decimal" }
`;

const SOURCE = [
  ['tid', 'text', ['2026112612345678']], ['sid', 'number', ['69200000000000100000']], ['shopName', 'text', ['天猫旗舰店', '抖音小店']],
  ['status', 'text', ['WAIT_SEND_GOODS']], ['created', 'number', ['1764150100000']], ['modified', 'number', ['1764151200000']],
  ['payment', 'text', ['1299.90', '88.00']], ['postFee', 'number', ['0.00']], ['weight', 'number', ['1000000000000000.01']],
  ['sellerMemo', 'text', ['客户要求周五前发货']], ['receiverState', 'text', ['浙江省']], ['receiverCity', 'text', ['杭州市']], ['buyerTaxNo', 'text', ['91330100MA27XXXX0K', '']],
  ['orders', 'list', []], ['orders[*].oid', 'number', ['692000000000001000000']], ['orders[*].sysSkuId', 'text', ['SKU-1024']],
  ['orders[*].title', 'text', ['有机纯牛奶 250ml × 12']], ['orders[*].num', 'number', ['3']], ['orders[*].price', 'text', ['59.90']], ['orders[*].payment', 'text', ['179.70']],
];

const TARGET = [
  ['code', '单据编号', 'Document number', 'text', true], ['vouchdate', '单据日期', 'Date', 'date', true], ['customer', '客户', 'Customer', 'object', true],
  ['customer.name', '客户名称', 'Name', 'text', true], ['customer.tax_no', '税号', 'Tax number', 'text', false], ['amount', '金额', 'Amount', 'decimal', true],
  ['memo', '备注', 'Memo', 'text', false], ['currency', '币种', 'Currency', 'text', true], ['department', '部门', 'Department', 'text', false],
  ['lines', '明细', 'Lines', 'list', true], ['lines[*].sku', '存货编码', 'SKU', 'text', true], ['lines[*].qty', '数量', 'Quantity', 'decimal', true],
  ['lines[*].unit_price', '单价', 'Unit price', 'decimal', true], ['lines[*].tax_rate', '税率', 'Tax rate', 'decimal', false],
];

const state = { text: TEXT, revision: 1 };

function rulesOf(text) {
  const rules = [];
  let prefix;
  text.split('\n').forEach((row, index) => {
    const line = index + 1;
    const table = /^\[(.+)\]/.exec(row);
    if (table) {
      prefix = table[1] === 'mapping' ? '' : table[1] === 'mapping.lines.fields' ? 'lines[*].' : table[1] === 'mapping.lines' ? 'lines' : undefined;
      return;
    }
    const each = /^each = "(.+)"/.exec(row);
    if (each && prefix === 'lines') rules.push({ target: 'lines', from: [each[1]], kind: 'each', toml: row, line });
    const rule = /^"?([\w.]+)"? = (\{.*\})/.exec(row);
    if (!rule || prefix === undefined || prefix === 'lines') return;
    const from = /from = "([^"]+)"/.exec(rule[2])?.[1];
    const kind = from ? 'from' : /const =/.test(rule[2]) ? 'const' : 'expr';
    rules.push({ target: prefix + rule[1], from: from ? [prefix ? `orders[*].${from}` : from] : [], kind, toml: rule[2], line });
  });
  return rules;
}

function mistakesOf(text) {
  const mistakes = [];
  text.split('\n').forEach((row, index) => {
    const wrong = /from = "(\w+)"/.exec(row);
    if (wrong && !SOURCE.some(([path]) => path === wrong[1] || path === `orders[*].${wrong[1]}`)) {
      mistakes.push({ file: 'flows/orders.toml', line: index + 1, column: row.indexOf(wrong[1]) + 1, message: `no sample has the field \`${wrong[1]}\``, help: 'did you mean `payment`?', is_warning: true });
    }
    if (/=\s*$/.test(row)) mistakes.push({ file: 'flows/orders.toml', line: index + 1, column: row.length + 1, message: 'this is not valid TOML: a value is missing', is_warning: false });
  });
  return mistakes;
}

/** The view of a text; of the saved one if none is given. */
export function view(flow, lang, samples, text = state.text) {
  const rules = rulesOf(text);
  const target = TARGET.map(([path, zh, en, kind, required]) => ({ path, title: lang === 'zh' ? zh : en, kind, required, is_declared: true }));
  for (const rule of rules) {
    if (!target.some((field) => field.path === rule.target)) target.push({ path: rule.target, title: '', kind: 'text', required: false, is_declared: false });
  }
  return {
    flow, text, revision: `r${state.revision}`, source: SOURCE.map(([path, kind, seen]) => ({ path, kind, samples: seen })), target, rules,
    mistakes: mistakesOf(text), samples, is_editable: true,
  };
}

/** Changes one rule of a text. */
export function edit(text, target, rule) {
  const inLines = target.startsWith('lines[*].');
  const name = inLines ? target.slice('lines[*].'.length) : target;
  const key = name.includes('.') ? `"${name}"` : name;
  const rows = text.split('\n');
  const found = rulesOf(text).find((existing) => existing.target === target);
  const source = rule?.from && inLines ? rule.from.replace('orders[*].', '') : rule?.from;
  if (found) {
    const index = found.line - 1;
    if (!rule) rows.splice(index, 1);
    else if (rule.toml !== undefined) rows[index] = `${key} = ${rule.toml}`;
    else if (/from = "[^"]*"/.test(rows[index])) rows[index] = rows[index].replace(/from = "[^"]*"/, `from = "${source}"`);
    else rows[index] = `${key} = { from = "${source}" }`;
  } else if (rule) {
    const row = `${key} = ${rule.toml ?? `{ from = "${source}" }`}`;
    const at = inLines ? rows.length - 1 : rows.findIndex((line) => line === '[mapping.lines]') - 1;
    rows.splice(at, 0, row);
  }
  return rows.join('\n');
}

/** Keeps a text, if it was made from the newest one. */
export function save(text, revision) {
  if (revision !== `r${state.revision}`) return undefined;
  state.text = text;
  state.revision += 1;
  return { revision: `r${state.revision}` };
}

/** What the text would make of records. */
export function preview(text, records, lang) {
  const mistakes = mistakesOf(text).filter((mistake) => !mistake.is_warning);
  if (mistakes.length > 0) return { mistakes, records: [] };
  const rules = rulesOf(text);
  const tax = rules.find((rule) => rule.target === 'customer.tax_no');
  return {
    mistakes: [],
    records: records.map(({ letter, key, record }, index) => {
      const refused = tax?.toml.includes('required = true') && !tax.toml.includes('default') && record.includes('"buyerTaxNo":""');
      const pick = (name) => new RegExp(`"${name}":("(?:[^"\\\\]|\\\\.)*"|[^,}]+)`).exec(record)?.[1] ?? 'null';
      const fields = rules.filter((rule) => rule.kind === 'from' && !rule.target.startsWith('lines')).map((rule) => `"${rule.target}":${pick(rule.from[0])}`);
      return {
        ...(letter === undefined ? {} : { letter }), key,
        outcome: refused ? 'refused' : index === 0 || letter !== undefined ? 'new' : ['changed', 'unchanged', 'filtered'][index % 3],
        ...(refused ? { reason: lang === 'zh' ? '字段 `customer.tax_no`：值为空，而该字段为必填' : 'field `customer.tax_no`: the value is empty, and the field is required' } : {}),
        record, documents: refused ? [] : [`{${fields.join(',')},"currency":"CNY"}`],
      };
    }),
  };
}
