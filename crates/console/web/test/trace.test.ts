// The search for a record without a browser: what of a long page is shown.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { cutOut } from '../src/trace/cut';

const read = (text: string, find: string | undefined, most: number) =>
  cutOut(text, find, most).parts.map((part) => (part.isHit ? `<${part.text}>` : part.text)).join('|');

describe('a page', () => {
  test('is shown with every place of the number', () => {
    assert.equal(read('a 12 b 12', '12', 100), 'a |<12>| b |<12>');
    assert.equal(read('12', '12', 100), '<12>');
    assert.equal(read('abc', 'x', 100), 'abc');
    assert.equal(read('abc', undefined, 100), 'abc');
    assert.equal(read('abc', '', 100), 'abc');
  });

  test('that is too long is cut, around the number if that lies further on', () => {
    assert.equal(read('abcdef', undefined, 3), 'abc');
    assert.equal(read(`${'a'.repeat(20)}12${'b'.repeat(20)}`, '12', 8), '…|aaaa|<12>|bb');
    assert.equal(cutOut('abcdef', undefined, 3).n_shown, 3);
  });
});
