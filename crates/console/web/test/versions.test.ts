// The versions of a draft: nothing that somebody wrote is lost by undoing, saving, or what others do meanwhile.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { front, isChanged, isStale, moved, opened, pushed, reread, type Said, seen, type Versions } from '../src/mapping/versions';

const view = (text: string, revision = 'r1'): Said => ({ text, revision });
const edited = (all: Versions<Said>, text: string) => pushed(all, { text, view: view(text) });
const typed = (all: Versions<Said>, text: string) => pushed(all, { text, view: front(all).view }, true);
const texts = (all: Versions<Said>) => all.versions.map((version, idx) => (idx === all.at ? `[${version.text}]` : version.text)).join(' ');

describe('the versions of a draft', () => {
  test('go back and forth, and forget what was taken back when something new is done', () => {
    let all = edited(edited(opened(view('a')), 'b'), 'c');
    assert.equal(texts(all), 'a b [c]');
    all = moved(moved(moved(all, -1), -1), -1);
    assert.equal(texts(all), '[a] b c');
    assert.equal(isChanged(all), false);
    all = moved(all, 1);
    assert.equal(texts(all), 'a [b] c');
    assert.equal(texts(edited(all, 'd')), 'a b [d]');
    assert.equal(texts(moved(moved(all, 1), 1)), 'a b [c]');
  });

  test('an edit that changes nothing is none', () => {
    assert.equal(texts(edited(edited(opened(view('a')), 'b'), 'b')), 'a [b]');
  });

  test('a run of keys is one version, until the server has seen it', () => {
    let all = typed(typed(typed(opened(view('a')), 'ab'), 'abc'), 'abcd');
    assert.equal(texts(all), 'a [abcd]');
    assert.equal(isStale(all), true);
    all = seen(all, 'abcd', view('abcd'));
    assert.equal(isStale(all), false);
    assert.equal(texts(typed(typed(all, 'abcde'), 'abcdef')), 'a abcd [abcdef]');
  });

  test('what the server says of a text that is no longer in front is not taken for the one that is', () => {
    const all = seen(typed(opened(view('a')), 'ab'), 'a', view('a', 'late'));
    assert.equal(front(all).view.revision, 'r1');
    assert.equal(isStale(all), true);
  });

  test('a file that changes on disk is followed, unless something is changed here', () => {
    const theirs = view('theirs', 'r2');
    const followed = reread(opened(view('a')), theirs);
    assert.equal(texts(followed), 'a [theirs]');
    assert.equal(isChanged(followed), false);
    assert.equal(followed.revision, 'r2');
    const kept = reread(edited(opened(view('a')), 'mine'), theirs);
    assert.equal(front(kept).text, 'mine');
    assert.equal(isChanged(kept), true);
    // Saving has to find out that the file is another one.
    assert.equal(kept.revision, 'r1');
  });

  test('a typed text that goes back to the one on disk is not changed', () => {
    const all = typed(typed(opened(view('a')), 'ab'), 'a');
    assert.equal(isChanged(all), false);
  });

  test('the oldest are dropped when there are very many', () => {
    let all = opened(view('0'));
    for (let n = 1; n <= 1000; n += 1) all = edited(all, String(n));
    assert.equal(front(all).text, '1000');
    assert.ok(all.versions.length <= 201);
  });
});
