// Every page, for everybody: no serious finding of axe-core, in light and dark, both languages, wide and narrow.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { findings } from './lib/axe.mjs';
import { browse } from './lib/browser.mjs';
import { OPERATOR, REFUSED, serveInstallation, VIEWER } from './lib/installation.mjs';
import { nothingWrong, signIn } from './lib/story.mjs';
import { WORDS } from './lib/words.mjs';

const LOOKS = [
  { lang: 'en', dark: false, width: 1360 },
  { lang: 'zh', dark: true, width: 1360 },
  { lang: 'zh', dark: false, width: 390 },
  { lang: 'en', dark: true, width: 390 },
];

/** Each page: its address, and what has to be there before it is looked at. */
const PAGES = [
  ['overview', '', 'a[href="#/flows/orders"]'],
  ['a flow', 'flows/orders', 'a[href*="/runs/"]'],
  ['a flow that failed', 'flows/refunds', 'h1'],
  ['a run', 'flows/orders/runs/1', 'h1'],
  ['calendar', 'calendar', 'h1'],
  ['accounts', 'accounts', 'a[href="#/accounts/shop"]'],
  ['an account', 'accounts/shop', 'h1'],
  ['alerts', 'alerts', 'h1'],
  ['doctor', 'doctor', 'h1'],
  ['audit log', 'audit', 'h1'],
  ['dead letters', 'flows/orders/dead-letters', '.letter'],
  ['trace', 'trace', 'form.filter'],
  ['trace of a refused record', `trace?id=${REFUSED[0]}`, '.way .json'],
  ['trace of a delivered record', 'trace?id=202611260001', '.step'],
  ['trace of nothing', 'trace?id=nothing', '.nothing-found table'],
  ['mapping, lines', 'flows/orders/mapping', '.map-page', '[role=tab]:nth-child(1)', '.react-flow__node'],
  ['mapping, list', 'flows/orders/mapping', '.map-page', '[role=tab]:nth-child(2)', '.map-view table'],
  ['mapping, text', 'flows/orders/mapping', '.map-page', '[role=tab]:nth-child(3)', '.map-text-area'],
  ['no such page', 'nowhere', 'h1'],
];

describe('every page is for everybody', () => {
  let installation;
  before(async () => {
    installation = await serveInstallation();
  });
  after(() => installation?.stop());

  for (const look of LOOKS) {
    describe(`${look.lang}, ${look.dark ? 'dark' : 'light'}, ${look.width} px`, () => {
      const w = WORDS[look.lang];
      let browser;
      let page;
      before(async () => {
        browser = await browse(look);
        page = await browser.page(installation.origin);
      });
      after(() => browser?.close());

      test('sign in', async () => {
        await page.goto(installation.origin);
        await page.getByLabel(w.user).waitFor();
        assert.deepEqual(await findings(page), []);
        await signIn(page, installation.origin, w);
        nothingWrong(page);
      });

      for (const [name, path, ready, tab, then] of PAGES) {
        test(name, async () => {
          await page.goto(`${installation.origin}/#/${path}`);
          await page.locator(ready).first().waitFor();
          if (tab) {
            await page.locator(tab).click();
            await page.locator(then).first().waitFor();
          }
          await page.waitForFunction(() => !document.querySelector('main .spinner'));
          assert.deepEqual(await findings(page), []);
          // Nothing is cut off at the side.
          const [inner, outer] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
          assert.ok(inner <= outer, `the page is ${inner} px wide in a window of ${outer} px`);
          nothingWrong(page);
        });
      }
    });
  }

  test('a viewer sees everything and is offered nothing that changes it', async () => {
    const browser = await browse({ lang: 'en' });
    try {
      const page = await browser.page(installation.origin);
      await signIn(page, installation.origin, WORDS.en, VIEWER);
      await page.goto(`${installation.origin}/#/flows/orders/dead-letters`);
      await page.locator('.letter').first().waitFor();
      assert.equal(await page.locator('.letter input[type=checkbox]').count(), 0);
      assert.equal(await page.getByRole('button', { name: /^Replay/ }).count(), 0);
      await page.goto(`${installation.origin}/#/flows/orders/mapping`);
      await page.locator('.react-flow__node').first().waitFor();
      assert.equal(await page.getByRole('button', { name: 'Save', exact: true }).count(), 0);
      const refusal = await page.evaluate(async () => {
        const session = await (await fetch('api/v1/session')).json();
        const answer = await fetch('api/v1/flows/orders/run', { method: 'POST', headers: { 'x-csrf-token': session.csrf, 'content-type': 'application/json' }, body: '{}' });
        return answer.status;
      });
      assert.equal(refusal, 403);
      nothingWrong(page);
    } finally {
      await browser.close();
    }
  });

  test('nobody gets in with a wrong password, and nothing is said of why', async () => {
    const browser = await browse({ lang: 'zh' });
    try {
      const page = await browser.page(installation.origin);
      await page.goto(installation.origin);
      await page.getByLabel(WORDS.zh.user).fill(OPERATOR.user);
      await page.getByLabel(WORDS.zh.password, { exact: true }).fill('wrong');
      await page.getByRole('button', { name: WORDS.zh.signIn, exact: true }).click();
      await page.getByRole('alert').waitFor();
      assert.match(await page.getByRole('alert').innerText(), /[一-鿿]/);
      assert.deepEqual(await findings(page), []);
      nothingWrong(page);
    } finally {
      await browser.close();
    }
  });
});
