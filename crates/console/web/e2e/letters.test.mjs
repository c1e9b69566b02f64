// Dead letters beyond the story: many of them, those of one kind, and those of unknown outcome.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { serve as serveMock } from '../mock/server.mjs';
import { browse } from './lib/browser.mjs';
import { serveInstallation } from './lib/installation.mjs';
import { nothingWrong, signIn } from './lib/story.mjs';
import { WORDS } from './lib/words.mjs';

const w = WORDS.en;

/** A flow that refuses a hundred and twenty records by its mapping, and two that have no key. */
const N_MAPPING = 120;
const MANY = {
  streams: '\n[[accounts.shop.streams]]\nname = "many"\npath = "many.jsonl"\nkey = ["id"]\nnumber = "no"\n',
  files: {
    'data/many.jsonl':
      Array.from({ length: N_MAPPING }, (_, idx) => `{"id":${idx + 1},"no":"M-${idx + 1}"}\n`).join('') +
      '{"no":"K-1"}\n{"id":null,"no":"K-2"}\n',
    'flows/many.toml':
      'source = { account = "shop", stream = "many" }\nsink = { account = "erp", target = "many" }\n\n[mapping.fields]\n' +
      'code = { from = "missing", required = true }\n',
  },
  flows: ['many'],
};

describe('dead letters', () => {
  let installation;
  let browser;
  let page;
  before(async () => {
    installation = await serveInstallation(MANY);
    browser = await browse({ lang: 'en' });
    page = await browser.page(installation.origin);
    await signIn(page, installation.origin, w);
    await page.goto(`${installation.origin}/#/flows/many/dead-letters`);
    await page.locator('.letter').first().waitFor();
  });
  after(async () => {
    await browser?.close();
    await installation?.stop();
  });
  const shown = (n) => page.waitForFunction((wanted) => document.querySelectorAll('.letter').length === wanted, n);

  test('come by the page, and all of them come', async () => {
    await shown(50);
    const more = page.getByRole('button', { name: 'Load more' });
    await more.click();
    await shown(100);
    await more.click();
    await shown(N_MAPPING + 2);
    assert.equal(await more.count(), 0);
    const names = await page.locator('.letter-name').allInnerTexts();
    assert.equal(new Set(names).size, N_MAPPING + 2);
    nothingWrong(page);
  });

  test('are found by what stands in them, and by who refused them', async () => {
    await page.getByRole('searchbox', { name: 'Search' }).fill('M-117');
    await shown(1);
    await page.getByRole('article', { name: 'M-117' }).waitFor();
    await page.getByRole('searchbox', { name: 'Search' }).fill('');
    await page.getByLabel('Refused by').selectOption('key');
    await shown(2);
    // The choice stands in the address, so that it can be sent to somebody.
    assert.match(page.url(), /stage=key/);
    await page.getByLabel('Refused by').selectOption('target');
    await page.getByText('Nothing matches').waitFor();
    await page.getByRole('link', { name: 'Show all' }).click();
    await shown(50);
    nothingWrong(page);
  });

  test('that are refused again are said to be', async () => {
    for (const name of ['M-1', 'M-2']) await page.getByRole('article', { name, exact: true }).getByRole('checkbox').check();
    await page.getByText('2 selected').waitFor();
    await page.getByRole('button', { name: 'Replay 2', exact: true }).click();
    await page.getByText('0 delivered, 2 refused again.').first().waitFor();
    nothingWrong(page);
  });

  test('lead to the page that they came on, as it came', async () => {
    const letter = page.getByRole('article', { name: 'M-3', exact: true });
    await letter.getByRole('button', { name: 'Record' }).click();
    await letter.getByRole('button', { name: w.page }).click();
    const dialog = page.getByRole('dialog');
    await dialog.locator('mark').first().waitFor();
    assert.equal(await dialog.locator('mark').first().innerText(), 'M-3');
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    nothingWrong(page);
  });
});

test('a record of unknown outcome counts as delivered when somebody says so', async () => {
  const mock = await serveMock({ port: 0, open: true });
  const browser = await browse({ lang: 'en' });
  try {
    const page = await browser.page(mock.url);
    await page.goto(`${mock.url}/#/flows/orders/dead-letters?stage=unknown`);
    const letter = page.locator('.letter').first();
    await letter.getByRole('button', { name: /It has arrived/ }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('The target’s id').fill('1893475610293847561');
    await dialog.getByRole('button', { name: 'It has arrived' }).click();
    await page.getByText('counts as delivered.').first().waitFor();
    await page.getByText('Nothing matches').waitFor();
    nothingWrong(page);
  } finally {
    await browser.close();
    await mock.close();
  }
});
