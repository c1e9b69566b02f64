// The mapping editor beyond the story: what it refuses, what it asks, what it keeps, and what it does with a lot.

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { browse } from './lib/browser.mjs';
import { serveInstallation } from './lib/installation.mjs';
import { nothingWrong, signIn } from './lib/story.mjs';
import { WORDS } from './lib/words.mjs';

const w = WORDS.en;

/** A flow with three hundred fields on each side. */
const N_FIELDS = 300;
const WIDE = {
  streams: '\n[[accounts.shop.streams]]\nname = "wide"\npath = "wide.jsonl"\nkey = ["id"]\n',
  files: {
    'data/wide.jsonl': [1, 2].map((id) => `{"id":${id},${fields((n) => `"source${n}":"value ${n}"`, ',')}}\n`).join(''),
    'flows/wide.toml':
      'source = { account = "shop", stream = "wide" }\nsink = { account = "erp", target = "wide" }\n\n[mapping.fields]\n' +
      `${fields((n) => `target${n} = "source${N_FIELDS + 1 - n}"`, '\n')}\n`,
  },
  flows: ['wide'],
};

function fields(of, between) {
  return Array.from({ length: N_FIELDS }, (_, idx) => of(idx + 1)).join(between);
}

describe('the mapping editor', () => {
  let installation;
  let browser;
  let page;
  const source = (path) => page.getByRole('button', { name: w.sourceField(path) });
  const target = (path) => page.getByRole('button', { name: w.targetField(path) });
  const ruleIs = (text) => page.waitForFunction((wanted) => document.querySelector('.map-toml')?.value.includes(wanted), text);
  const draw = async (from, to) => {
    await source(from).click();
    await target(to).click();
  };

  before(async () => {
    installation = await serveInstallation(WIDE);
    browser = await browse({ lang: 'en', width: 1500, height: 1200 });
    const first = await browser.page(installation.origin);
    await signIn(first, installation.origin, w);
    await first.close();
  });
  after(async () => {
    await browser?.close();
    await installation?.stop();
  });
  beforeEach(async () => {
    page = await browser.page(installation.origin);
    await page.goto(`${installation.origin}/#/flows/orders/mapping`);
    await page.locator('.react-flow__node').first().waitFor();
  });
  // A page that is closed so asks nobody whether it may.
  afterEach(() => page.close());

  test('asks before a fixed value is lost, and takes it back', async () => {
    await draw('memo', 'currency');
    const dialog = page.getByRole('dialog');
    await dialog.getByText('const = "CNY"').waitFor();
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await target('currency').click();
    await ruleIs('const = "CNY"');
    await draw('memo', 'currency');
    await page.getByRole('dialog').getByRole('button', { name: 'Replace' }).click();
    await ruleIs('memo');
    await page.getByRole('button', { name: 'Undo' }).click();
    await ruleIs('const = "CNY"');
    assert.equal(await page.getByText('not saved').count(), 0);
    nothingWrong(page);
  });

  test('says why many values do not fit into one, and offers the first', async () => {
    await draw('items\\[\\*\\].title', 'memo');
    await page.getByText('has many values').first().waitFor();
    await page.getByRole('button', { name: 'Take the first' }).click();
    await ruleIs('items[0].title');
    nothingWrong(page);
  });

  test('draws into lines, and repeats a field of the record on each', async () => {
    await page.getByLabel('Add a target field').fill('lines[*].title');
    await page.getByRole('button', { name: 'Add a target field' }).click();
    await draw('items\\[\\*\\].title', 'lines\\[\\*\\].title');
    await ruleIs('"title"');
    await page.getByLabel('Add a target field').fill('lines[*].customer');
    await page.getByRole('button', { name: 'Add a target field' }).click();
    await draw('buyer.name', 'lines\\[\\*\\].customer');
    await ruleIs('$.buyer.name');
    // What is new in the document is marked.
    await page.locator('.map-json-line.mark-added').first().waitFor();
    nothingWrong(page);
  });

  test('takes a rule away by a key, and shows what is gone', async () => {
    await target('amount').focus();
    await page.keyboard.press('Delete');
    await page.locator('.map-json-line.mark-removed').filter({ hasText: 'amount' }).waitFor();
    nothingWrong(page);
  });

  test('shows a mistake at its line, and does not save it', async () => {
    await page.getByRole('tab', { name: w.tabs.text }).click();
    const area = page.locator('.map-text-area');
    const text = await area.inputValue();
    await area.fill(text.replace('type = "date"', 'type = "dated"'));
    const line = text.split('\n').findIndex((one) => one.startsWith('date =')) + 1;
    await page.getByRole('button', { name: `Go to line ${line}` }).click();
    assert.equal(await area.evaluate((element) => element.value.slice(0, element.selectionStart).split('\n').length), line);
    await page.getByRole('button', { name: w.save, exact: true }).click();
    await page.getByRole('alert').filter({ hasText: 'dated' }).first().waitFor();
    assert.equal(await installation.read('flows/orders.toml'), text);
    nothingWrong(page);
  });

  test('goes on when somebody else has saved meanwhile', async () => {
    await draw('shop.city', 'memo');
    await ruleIs('shop.city');
    const theirs = `# Somebody was here.\n${await installation.read('flows/orders.toml')}`;
    await writeFile(join(installation.dir, 'flows/orders.toml'), theirs);
    await page.getByRole('button', { name: w.save, exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('# Somebody was here.').waitFor();
    await dialog.getByRole('button', { name: 'Keep mine' }).click();
    await page.getByRole('button', { name: w.save, exact: true }).click();
    await page.getByText(w.saved).waitFor();
    const text = await installation.read('flows/orders.toml');
    assert.ok(!text.includes('Somebody was here') && text.includes('from = "shop.city"'), text);
    nothingWrong(page);
  });

  test('asks before changes are left behind', async () => {
    const asked = [];
    page.on('dialog', (dialog) => {
      asked.push(dialog.type());
      void (asked.length === 1 ? dialog.dismiss() : dialog.accept());
    });
    await draw('shop.name', 'memo');
    await ruleIs('shop.name');
    await page.getByRole('link', { name: WORDS.en.overview }).first().click();
    await page.waitForURL(/mapping/);
    await ruleIs('shop.name');
    await page.getByRole('link', { name: WORDS.en.overview }).first().click();
    await page.getByRole('heading', { level: 1, name: w.overview }).waitFor();
    assert.deepEqual(asked, ['confirm', 'confirm']);
    nothingWrong(page);
  });

  test('draws only what is seen of three hundred fields, and finds each by the filter or by keys', async () => {
    await page.goto(`${installation.origin}/#/flows/wide/mapping`);
    await page.getByText(`${N_FIELDS + 1} fields`).waitFor();
    await target('target1').waitFor();
    const n_drawn = await page.locator('.map-row').count();
    assert.ok(n_drawn < 200, `${n_drawn} rows are drawn`);
    // The end of the list, by one key.
    await target('target1').focus();
    await page.keyboard.press('End');
    await page.waitForFunction((path) => document.activeElement?.id === `map-target-${path}`, `target${N_FIELDS}`);
    // One field, by its name.
    await page.getByLabel('Filter the source').fill('source150');
    await page.getByLabel('Filter the target').fill('target299');
    await source('source150').waitFor();
    assert.equal(await page.locator('.map-row').count(), 2);
    await draw('source150', 'target299');
    await ruleIs('source150');
    nothingWrong(page);
  });
});
