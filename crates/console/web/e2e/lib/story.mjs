// The steps of the story: what somebody does who is asked why an order is not in the target.

import assert from 'node:assert/strict';
import { OPERATOR } from './installation.mjs';

/** Signs in by mouse and keys. */
export async function signIn(page, origin, w, { user, password } = OPERATOR) {
  await page.goto(origin);
  await page.getByLabel(w.user).fill(user);
  await page.getByLabel(w.password, { exact: true }).fill(password);
  await page.getByRole('button', { name: w.signIn, exact: true }).click();
  await page.getByRole('heading', { level: 1, name: w.overview }).waitFor();
}

/** Looks for a record from the head of the page. */
export async function search(page, w, id) {
  const field = page.getByRole('searchbox', { name: w.search });
  await field.fill(id);
  await field.press('Enter');
}

/** The document of an order in what was written, if it is there. */
export async function documentOf(installation, tid) {
  const text = await installation.read('out/sales-order.jsonl');
  return text.split('\n').find((line) => line.includes(`"SO-${tid}"`));
}

/** Waits for what the draft would make of the record. */
export const previewSays = (page, text) => page.getByRole('status').filter({ hasText: text }).first().waitFor();

/** Fails if anything went wrong in the page, or left its origin. */
export function nothingWrong(page) {
  assert.deepEqual(page.wrong, []);
}

/** Presses a key until the element has the focus: what a keyboard cannot reach is not there. */
export async function keyTo(page, locator, key = 'Tab', most = 150) {
  await locator.first().waitFor();
  for (let n = 0; n < most; n += 1) {
    if (await locator.first().evaluate((element) => element === document.activeElement)) return n;
    await page.keyboard.press(key);
  }
  const where = await page.evaluate(() => document.activeElement?.outerHTML.slice(0, 200));
  throw new Error(`${most} times ${key} did not lead to ${locator}; the focus is at ${where}`);
}
