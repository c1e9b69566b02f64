// What the page weighs, compressed, and when its first paint is.

import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { get } from 'node:http';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { browse } from './lib/browser.mjs';
import { serveInstallation } from './lib/installation.mjs';
import { nothingWrong, signIn } from './lib/story.mjs';
import { WORDS } from './lib/words.mjs';

const DIST = join(dirname(fileURLToPath(import.meta.url)), '../dist');
const MOST = 300 * 1024;

/** The length of what is sent for an address, as it is sent. */
function sizeOf(url, encoding) {
  return new Promise((resolve, reject) => {
    get(url, { headers: { 'accept-encoding': encoding } }, (answer) => {
      let size = 0;
      answer.on('data', (part) => {
        size += part.length;
      });
      answer.on('end', () => resolve({ size, status: answer.statusCode, encoding: answer.headers['content-encoding'] }));
      answer.on('error', reject);
    }).on('error', reject);
  });
}

describe('the page is light', () => {
  let installation;
  before(async () => {
    installation = await serveInstallation();
  });
  after(() => installation?.stop());

  for (const encoding of ['br', 'gzip']) {
    test(`all its files are under 300 KB as ${encoding}`, async (t) => {
      // They lie there compressed.
      const names = (await readdir(join(DIST, 'assets'))).map((name) => name.replace(/\.(gz|br)$/, ''));
      const files = ['index.html', ...new Set(names.map((name) => `assets/${name}`))];
      let sum = 0;
      for (const file of files) {
        const sent = await sizeOf(`${installation.origin}/${file}`, encoding);
        assert.equal(sent.status, 200, file);
        sum += sent.size;
      }
      t.diagnostic(`${files.length} files, ${sum} bytes as ${encoding}`);
      assert.ok(sum < MOST, `${sum} bytes`);
    });
  }

  test('its first paint', async (t) => {
    const browser = await browse({ lang: 'zh' });
    try {
      const page = await browser.page(installation.origin);
      await signIn(page, installation.origin, WORDS.zh);
      // Once with everything in the browser's cache, once without.
      for (const [how, cached] of [['without', false], ['with', true]]) {
        const session = await page.context().newCDPSession(page);
        await session.send('Network.setCacheDisabled', { cacheDisabled: !cached });
        await page.reload();
        await page.getByRole('heading', { level: 1, name: WORDS.zh.overview }).waitFor();
        const paint = await page.waitForFunction(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime);
        const bytes = await page.evaluate(() =>
          performance.getEntriesByType('resource').reduce((sum, entry) => sum + entry.transferSize, 0));
        t.diagnostic(`first paint ${how} cache: ${Math.round(await paint.jsonValue())} ms, ${bytes} bytes over the wire`);
        await session.detach();
      }
      nothingWrong(page);
    } finally {
      await browser.close();
    }
  });
});
