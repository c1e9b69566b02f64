// An installation in a temporary folder: a shop whose orders are files, and a program that serves it.

import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';

const WORKSPACE = join(dirname(fileURLToPath(import.meta.url)), '../../../../..');

/** The program under test. */
export const BIN = process.env.MILKRUN_BIN ?? join(WORKSPACE, 'target/debug/milkrun');

/** Who signs in. */
export const OPERATOR = { user: 'anna', password: 'a long password of the tests' };
export const VIEWER = { user: 'wei', password: 'another long password' };

/** Orders: each thirteenth lacks the field that the mapping wants, but says the same elsewhere. */
export const N_ORDERS = 40;
export const REFUSED = ['202611260013', '202611260026', '202611260039'];
/** The tax number of an order: where the mapping looks, and where it stands in every order. */
export const taxOf = (tid) => `91330100MA27X${tid.slice(-4)}`;

const tidOf = (n) => `20261126${String(n).padStart(4, '0')}`;

/** An order as the shop writes it. */
function order(n) {
  const tid = tidOf(n);
  const tax = REFUSED.includes(tid) ? '' : `"buyerTaxNo":"${taxOf(tid)}",`;
  return (
    `{"tid":"${tid}","oid":692000000000000${1000 + n},"created":${1_764_150_100_000 + n * 60_000},` +
    `"shop":{"name":"杭州云栖店","city":"杭州"},"buyer":{"name":"示例采购${n}","taxId":"${taxOf(tid)}"},${tax}` +
    `"payment":"${100 + n}.50","weight":0.10,"memo":${n % 5 === 0 ? '"周五前发货"' : 'null'},` +
    `"items":[{"sku":"A-${n}","title":"有机纯牛奶 250ml × 12","num":"2","price":"59.90"},` +
    `{"sku":"B-${n}","title":"燕麦奶 1L","num":"1.00","price":"10.00"}]}\n`
  );
}

function orders() {
  return Array.from({ length: N_ORDERS }, (_, idx) => order(idx + 1)).join('');
}

const list = (n, of) => Array.from({ length: n }, (_, idx) => of(idx + 1)).join('\n') + '\n';

const FILES = {
  'milkrun.toml': (hashes, streams) => `
[accounts.shop]
connector = "file"
folder = "data"

[[accounts.shop.streams]]
name = "orders"
path = "orders.jsonl"
key = ["oid"]
number = "tid"

[[accounts.shop.streams]]
name = "items"
path = "items.jsonl"
key = ["sku"]

[[accounts.shop.streams]]
name = "stock"
path = "stock.csv"
key = ["sku"]

[[accounts.shop.streams]]
name = "refunds"
path = "refunds.jsonl"
key = ["id"]
${streams}
[accounts.erp]
connector = "file"
folder = "out"

[console.users.${OPERATOR.user}]
role = "operator"
password = "${hashes.operator}"

[console.users.${VIEWER.user}]
role = "viewer"
password = "${hashes.viewer}"
`,
  'flows/orders.toml': () => `# Orders of the shop, as sales orders of the headquarters.
[source]
account = "shop"
stream = "orders"

[sink]
account = "erp"
target = "sales-order"

[mapping.fields]
code = { from = "tid", prefix = "SO-" }          # the number that people know
date = { from = "created", type = "date" }
customer = "buyer.name"
tax_no = { from = "buyerTaxNo", required = true }
amount = { from = "payment", type = "decimal", scale = 2 }
memo = { from = "memo", default = "" }
currency = { const = "CNY" }

# A line for each item of the order.
[mapping.fields.lines]
each = "items"
fields.sku = "sku"
fields.qty = { from = "num", type = "decimal" }
fields.price = { from = "price", type = "decimal", scale = 4 }
fields.order = "$.tid"
`,
  'flows/items.toml': () => `schedule = "0 30 2 * * ?"
source = { account = "shop", stream = "items" }
sink = { account = "erp", target = "items" }
`,
  'flows/stock.toml': () => `schedule = "0 45 2 * * ?"
source = { account = "shop", stream = "stock" }
sink = { account = "erp", target = "stock" }
`,
  'flows/refunds.toml': () => `source = { account = "shop", stream = "refunds" }
sink = { account = "erp", target = "sales-return" }
`,
  'data/orders.jsonl': orders,
  'data/items.jsonl': () => list(120, (n) => `{"sku":"A-${n}","title":"有机纯牛奶 ${n}","price":"59.90"}`),
  'data/stock.csv': () => `sku,qty\n${list(120, (n) => `A-${n},${n * 3}`)}`,
};

/** Runs the program to its end; a run that ends `partial` or `failed` is no mistake of the test. */
function run(dir, args, input) {
  return new Promise((resolve, reject) => {
    const child = execFile(BIN, args, { cwd: dir, env: { ...process.env, LC_ALL: 'C.UTF-8' } }, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') reject(error);
      else resolve({ code: error?.code ?? 0, stdout, stderr });
    });
    child.stdin?.end(input ?? '');
  });
}

async function hashOf({ password }) {
  const { stdout, stderr, code } = await run(tmpdir(), ['console', 'password'], `${password}\n`);
  const hash = /\$argon2id\$[^\s"]+/.exec(stdout)?.[0];
  if (!hash) throw new Error(`\`milkrun console password\` gave no hash (${code}): ${stdout}${stderr}`);
  return hash;
}

/**
 * Writes the installation, lets every flow run once, and serves it. `stop` ends the program and takes the folder away.
 *
 * `files` are written beside the usual ones, `streams` is added to the shop's, and `flows` run too.
 */
export async function serveInstallation({ files = {}, streams = '', flows = [] } = {}) {
  if (!existsSync(BIN)) throw new Error(`there is no ${BIN}: build the program, or say where it is in MILKRUN_BIN`);
  const dir = await mkdtemp(join(tmpdir(), 'milkrun-e2e-'));
  const hashes = { operator: await hashOf(OPERATOR), viewer: await hashOf(VIEWER) };
  for (const folder of ['flows', 'data']) await mkdir(join(dir, folder));
  for (const [name, text] of Object.entries(FILES)) await writeFile(join(dir, name), text(hashes, streams).trimStart());
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text);
  // Pictures show an installation that has worked for a while.
  const n_runs = process.env.MILKRUN_SCREENSHOTS === '1' ? 9 : 1;
  for (const flow of ['items', 'stock']) for (let n = 1; n < n_runs; n += 1) await run(dir, ['run', flow]);
  for (const flow of ['orders', 'items', 'stock', 'refunds', ...flows]) await run(dir, ['run', flow]);

  const child = spawn(BIN, ['serve', '--dir', dir, '--listen', '127.0.0.1:0', '--json'], { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    said += text;
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const origin = await new Promise((resolve, reject) => {
    let text = '';
    createInterface({ input: child.stdout }).on('line', (line) => {
      text += line;
      try {
        resolve(new URL(JSON.parse(text).console).origin);
      } catch {
        // The document goes on.
      }
    });
    child.once('exit', (code) => reject(new Error(`\`milkrun serve\` ended with ${code}: ${said}`)));
  });
  return {
    dir,
    origin,
    /** Lets one more order come; gives its number. */
    async orderMore() {
      await appendFile(join(dir, 'data/orders.jsonl'), order(N_ORDERS + 1));
      return tidOf(N_ORDERS + 1);
    },
    /** What stands in a file of the installation; empty if there is none. */
    read: (name) => readFile(join(dir, name), 'utf8').catch(() => ''),
    async stop() {
      child.kill('SIGTERM');
      await ended;
      await rm(dir, { recursive: true, force: true });
    },
  };
}
