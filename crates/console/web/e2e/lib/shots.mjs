// Pictures of the pages for the documentation, made only when they are asked for, so that tests change no files.

import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = join(dirname(fileURLToPath(import.meta.url)), '../../../../../docs/images');

const HEIGHTS = { mapping: 1660, trace: 1500 };

/** Writes `docs/images/console-NAME.png`, in Chinese `console-NAME.zh.png`, if `MILKRUN_SCREENSHOTS=1`. */
export async function shoot(page, name, w) {
  if (process.env.MILKRUN_SCREENSHOTS !== '1') return;
  await mkdir(FOLDER, { recursive: true });
  // Some pages are to be seen down to what they end in.
  const before = page.viewportSize();
  await page.setViewportSize({ width: before.width, height: HEIGHTS[name] ?? before.height });
  await page.evaluate(() => window.scrollTo(0, 0));
  await page.mouse.move(0, 0);
  const path = join(FOLDER, `console-${name}${w.tag === 'en' ? '' : '.zh'}.png`);
  // Messages about what has just been done would cover the page.
  const toasts = page.locator('.toasts');
  await toasts.evaluateAll((all) => all.forEach((one) => one.style.setProperty('display', 'none')));
  await page.screenshot({ path, animations: 'disabled', caret: 'hide' });
  await toasts.evaluateAll((all) => all.forEach((one) => one.style.removeProperty('display')));
  await page.setViewportSize(before);
}
