// Why is this order not in the target? Asked, answered and mended in a browser, in both languages, and by keys alone.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { browse } from './lib/browser.mjs';
import { N_ORDERS, OPERATOR, REFUSED, serveInstallation, taxOf } from './lib/installation.mjs';
import { shoot } from './lib/shots.mjs';
import { documentOf, keyTo, nothingWrong, previewSays, search, signIn } from './lib/story.mjs';
import { WORDS } from './lib/words.mjs';

/** The beginning that all stories share: from the overview to the mapping editor, with the letter as its preview. */
async function fromOverviewToEditor(page, w, tid) {
  // The overview says which flows need somebody.
  const row = page.getByRole('row').filter({ has: page.getByRole('link', { name: 'orders', exact: true }) });
  await row.getByText(w.partial).first().waitFor();
  await page.getByText(w.failed).first().waitFor();
  await shoot(page, 'overview', w);

  // The flow, and its last run.
  await page.getByRole('link', { name: 'orders', exact: true }).first().click();
  await page.getByRole('heading', { level: 1, name: 'orders' }).waitFor();
  const run = page.locator('a[href*="/runs/"]').first();
  await run.click();
  await page.waitForURL(/#\/flows\/orders\/runs\/\d+/);
  await page.getByText(w.partial).first().waitFor();
  await shoot(page, 'run', w);

  // The order, by the number that people know.
  await search(page, w, tid);
  await page.getByRole('region', { name: w.refused }).waitFor();
  await page.getByText(w.refusedBy).first().waitFor();
  await page.getByText('tax_no').first().waitFor();

  // The dead letters of the flow: the record as it came, numbers as written.
  await page.goto(`${new URL(page.url()).origin}/#/flows/orders/dead-letters?text=${tid}`);
  const letter = page.getByRole('article', { name: tid });
  await letter.waitFor();
  const record = await letter.innerText();
  assert.ok(record.includes('"oid": 6920000000000001013,') && record.includes('"weight": 0.10,'), record);
  await shoot(page, 'dead-letters', w);
  await letter.getByRole('link', { name: new RegExp(w.mend) }).click();
  await page.waitForURL(/\/mapping\?letters=\d+/);
  await previewSays(page, w.someBad);
}

/** The end: saved, sent again, delivered, and found. */
async function saveAndReplay(page, w, tid, installation) {
  await page.getByRole('button', { name: w.save, exact: true }).click();
  await page.getByRole('button', { name: w.replayOne, exact: true }).click();
  await page.getByText(w.oneGone).first().waitFor();
  await search(page, w, tid);
  await page.getByRole('article', { name: w.delivered }).waitFor();
  await page.getByText(taxOf(tid)).first().waitFor();
  const document = await documentOf(installation, tid);
  assert.ok(document, `the file holds ${tid}`);
  assert.ok(document.includes(`"tax_no":"${taxOf(tid)}"`), document);
  await shoot(page, 'trace', w);
}

describe('an order that is not in the target', () => {
  for (const lang of ['zh', 'en']) {
    describe(lang, () => {
      const w = WORDS[lang];
      let installation;
      let browser;
      let page;
      before(async () => {
        installation = await serveInstallation();
        browser = await browse({ lang });
        page = await browser.page(installation.origin);
      });
      after(async () => {
        await browser?.close();
        await installation?.stop();
      });

      test('is refused until the mapping is mended', async () => {
        assert.equal((await installation.read('out/sales-order.jsonl')).trim().split('\n').length, N_ORDERS - REFUSED.length);
        assert.equal(await documentOf(installation, REFUSED[0]), undefined);
        await signIn(page, installation.origin, w);
        assert.equal(await page.locator('html').getAttribute('lang'), w.tag);
        await fromOverviewToEditor(page, w, REFUSED[0]);
        nothingWrong(page);
      });

      test('is mended by a line that is dragged', async () => {
        const source = page.locator('.react-flow__node[data-id="s:buyer.taxId"] .react-flow__handle');
        const target = page.locator('.react-flow__node[data-id="t:tax_no"]');
        await source.scrollIntoViewIfNeeded();
        const from = await source.boundingBox();
        const to = await target.boundingBox();
        await page.mouse.move(from.x + from.width / 2, from.y + from.height / 2);
        await page.mouse.down();
        // Onto the middle of the field: nobody has to hit the dot.
        await page.mouse.move(to.x + to.width / 2, to.y + to.height / 2, { steps: 12 });
        await page.mouse.up();
        await previewSays(page, w.allGood);
        await page.getByRole('button', { name: w.targetField('tax_no') }).click();
        await page.waitForFunction(() => document.querySelector('.map-toml')?.value.includes('buyer.taxId'));
        await shoot(page, 'mapping', w);
        nothingWrong(page);
      });

      test('is delivered when it is sent again', async () => {
        await saveAndReplay(page, w, REFUSED[0], installation);
        // What a person wrote into the file is still there.
        const text = await installation.read('flows/orders.toml');
        assert.ok(text.includes('tax_no = { from = "buyer.taxId", required = true }'), text);
        assert.ok(text.includes('# the number that people know'), text);
        assert.ok(text.includes('# A line for each item of the order.'), text);
        nothingWrong(page);
      });

      test('another one is mended by a rule as TOML, and the rest is replayed by selection', async () => {
        await page.goto(`${installation.origin}/#/flows/orders/mapping`);
        await page.getByRole('tab', { name: w.tabs.list }).click();
        await page.getByRole('button', { name: w.editRule('tax_no') }).click();
        await page.getByLabel(w.ruleText).fill('{ from = ["buyerTaxNo", "buyer.taxId"], required = true }');
        await page.getByRole('button', { name: w.apply, exact: true }).click();
        await page.getByRole('tab', { name: w.tabs.text }).click();
        await page.waitForFunction(() => document.querySelector('.map-text-area')?.value.includes('["buyerTaxNo", "buyer.taxId"]'));
        await page.getByRole('button', { name: w.save, exact: true }).click();
        await page.getByText(w.unsaved, { exact: true }).waitFor({ state: 'detached' });
        await page.goto(`${installation.origin}/#/flows/orders/dead-letters`);
        for (const tid of REFUSED.slice(1)) await page.getByRole('article', { name: tid }).getByRole('checkbox').check();
        await page.locator('.letters-acts .button-primary').click();
        await page.waitForFunction(() => document.querySelectorAll('.letter').length === 0);
        for (const tid of REFUSED) assert.ok(await documentOf(installation, tid), tid);
        nothingWrong(page);
      });

      test('the next order comes with a run that is begun here, and its end is seen as it happens', async () => {
        const tid = await installation.orderMore();
        await page.goto(`${installation.origin}/#/flows/orders`);
        await page.getByRole('heading', { level: 1, name: 'orders' }).waitFor();
        await page.getByRole('button', { name: w.runNow, exact: true }).click();
        await page.getByText(w.reconciled, { exact: true }).first().waitFor();
        assert.ok(await documentOf(installation, tid), tid);
        await search(page, w, tid);
        await page.getByRole('article', { name: w.delivered }).waitFor();
        nothingWrong(page);
      });
    });
  }

  test('by keys alone', async () => {
    const w = WORDS.en;
    const [tid] = REFUSED;
    const installation = await serveInstallation();
    const browser = await browse({ lang: 'en' });
    try {
      const page = await browser.page(installation.origin);
      await page.goto(installation.origin);
      const user = page.getByLabel(w.user);
      await keyTo(page, user);
      await page.keyboard.type(OPERATOR.user);
      await page.keyboard.press('Tab');
      await page.keyboard.type(OPERATOR.password);
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { level: 1, name: w.overview }).waitFor();

      // Ctrl+K leads to the search from anywhere.
      await page.keyboard.press('Control+k');
      await page.keyboard.type(tid);
      await page.keyboard.press('Enter');
      const mend = page.getByRole('region', { name: w.refused }).getByRole('link', { name: new RegExp(w.mend) });
      await keyTo(page, mend);
      await page.keyboard.press('Enter');
      await previewSays(page, w.someBad);

      // The line: a source field, Enter, the other side, a target field, Enter.
      await keyTo(page, page.locator('.map-row-source .map-field[tabindex="0"]'));
      await keyTo(page, page.getByRole('button', { name: w.sourceField('buyer.taxId') }), 'ArrowDown');
      await page.keyboard.press('Enter');
      await keyTo(page, page.locator('.map-row-target .map-field[tabindex="0"]'));
      await keyTo(page, page.getByRole('button', { name: w.targetField('tax_no') }), 'ArrowDown');
      await page.keyboard.press('Enter');
      await previewSays(page, w.allGood);

      // Saved with Ctrl+S; then the replay.
      await page.keyboard.press('Control+s');
      await keyTo(page, page.getByRole('button', { name: w.replayOne, exact: true }), 'Shift+Tab');
      await page.keyboard.press('Enter');
      await page.getByText(w.oneGone).first().waitFor();
      assert.ok(await documentOf(installation, tid));
      nothingWrong(page);
    } finally {
      await browser.close();
      await installation.stop();
    }
  });
});
