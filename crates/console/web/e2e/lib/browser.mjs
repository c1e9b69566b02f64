// A browser with nothing in it, and pages that watch themselves: what leaves the origin or breaks is remembered.

import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

/** Where the browser is. */
export const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
];

/** Begins a browser. `page` opens pages in it; `close` ends it and takes its folder away. */
export async function browse({ lang = 'en', dark = false, width = 1360, height = 860 } = {}) {
  if (!existsSync(CHROMIUM)) throw new Error(`there is no browser at ${CHROMIUM}: install chromium, or say where it is in CHROMIUM`);
  const folder = await mkdtemp(join(tmpdir(), 'milkrun-browser-'));
  const context = await chromium.launchPersistentContext(folder, {
    executablePath: CHROMIUM,
    args: ARGS,
    headless: true,
    locale: lang === 'zh' ? 'zh-CN' : 'en-US',
    timezoneId: 'America/New_York',
    colorScheme: dark ? 'dark' : 'light',
    reducedMotion: 'reduce',
    viewport: { width, height },
  });
  context.setDefaultTimeout(30_000);
  return {
    context,
    page: (origin) => watched(context, origin),
    async close() {
      await context.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A page that remembers what went wrong in it. */
async function watched(context, origin) {
  const page = await context.newPage();
  const wrong = [];
  page.on('pageerror', (error) => wrong.push(`error: ${error.stack ?? error.message}`));
  page.on('console', (message) => {
    // A refused request is told by the page itself; the browser's own line about its status says nothing more.
    if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) wrong.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.origin !== origin && !['data:', 'blob:'].includes(url.protocol)) wrong.push(`left the origin: ${request.url()}`);
  });
  page.wrong = wrong;
  return page;
}
