// What the page weighs, compressed, and when its first paint is.

import assert from 'node:assert/strict';
import { get } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { browse } from './lib/browser.mjs';
import { serveInstallation } from './lib/installation.mjs';
import { nothingWrong, signIn } from './lib/story.mjs';
import { WORDS } from './lib/words.mjs';

/** Kilobytes are taken as 1,000 bytes: the stricter way. */
const MOST = 300_000;

/** A file as it is sent, and what it says. */
function fetchFile(url) {
  return new Promise((resolve, reject) => {
    get(url, { headers: { 'accept-encoding': 'gzip' } }, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('error', reject);
      answer.on('end', () => {
        const sent = Buffer.concat(parts);
        const body = answer.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
        resolve({ size: sent.length, status: answer.statusCode, text: body.toString('utf8') });
      });
    }).on('error', reject);
  });
}

/** All files of the page: what it names, what that names, and so on; the size of each as it is sent. */
async function allFiles(origin) {
  const sizes = new Map();
  const open = ['index.html'];
  while (open.length > 0) {
    const file = open.pop();
    if (sizes.has(file)) continue;
    const { size, status, text } = await fetchFile(`${origin}/${file}`);
    assert.equal(status, 200, file);
    sizes.set(file, size);
    for (const [, name] of text.matchAll(/["'/.]([\w-]+-[0-9A-Za-z]{8}\.(?:js|css|svg))["']/g)) open.push(`assets/${name}`);
  }
  return sizes;
}

describe('the page is light', () => {
  let installation;
  before(async () => {
    installation = await serveInstallation();
  });
  after(() => installation?.stop());

  test('all its files are under 300 KB as they are sent', async (t) => {
    const files = await allFiles(installation.origin);
    const sum = [...files.values()].reduce((total, size) => total + size, 0);
    t.diagnostic(`${files.size} files, ${sum} bytes as they are sent`);
    // A page without its parts would be light too.
    assert.ok(files.size > 10, [...files.keys()].join(' '));
    assert.ok(sum < MOST, `${sum} bytes`);
  });

  test('its first paint', async (t) => {
    const browser = await browse({ lang: 'zh' });
    try {
      const page = await browser.page(installation.origin);
      const paint = async (how) => {
        const at = await page.waitForFunction(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime);
        const bytes = await page.evaluate(() =>
          ['navigation', 'resource'].flatMap((type) => performance.getEntriesByType(type)).reduce((sum, entry) => sum + entry.transferSize, 0));
        t.diagnostic(`first paint ${how}: ${Math.round(await at.jsonValue())} ms, ${bytes} bytes over the wire`);
      };
      // A browser that has never been here, and one that has.
      await page.goto(installation.origin);
      await page.getByLabel(WORDS.zh.user).waitFor();
      await paint('of a browser that has nothing yet');
      await signIn(page, installation.origin, WORDS.zh);
      await page.reload();
      await page.getByRole('heading', { level: 1, name: WORDS.zh.overview }).waitFor();
      await paint('of the overview, loaded again');
      nothingWrong(page);
    } finally {
      await browser.close();
    }
  });
});
