import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AlertSettings } from '../src/api/types';
import { guessLang } from '../src/i18n/lang';
import { carriedOver, changeOf, formOf, mistakesOf, readHours } from '../src/pages/alerts/form';
import { readBackfill } from '../src/pages/flow/backfill';
import { share } from '../src/pages/run/figures';

const SETTINGS: AlertSettings = {
  revision: 'r1', channels: [], zone: 'Asia/Shanghai', quiet_hours: '22:00-08:00',
  rules: [
    { name: 'run-failed', title: '', is_on: true },
    { name: 'lag', title: '', is_on: true, bound: '2h' },
    { name: 'disk', title: '', is_on: false, bound: '10%' },
  ],
};

test('quiet hours are read as they are written', () => {
  assert.deepEqual(readHours('22:00-08:00'), ['22:00', '08:00']);
  assert.deepEqual(readHours(' 9:30 - 17:00 '), ['09:30', '17:00']);
  assert.equal(readHours(''), undefined);
  assert.equal(readHours(undefined), undefined);
});

test('only what has changed is asked for', () => {
  const form = formOf(SETTINGS);
  assert.equal(changeOf(SETTINGS, form), undefined);
  const lag = { ...form, rules: form.rules.map((rule) => (rule.name === 'lag' ? { ...rule, bound: ' 3h ' } : rule)) };
  assert.deepEqual(changeOf(SETTINGS, lag), { revision: 'r1', rules: [{ name: 'lag', is_on: true, bound: '3h' }] });
  assert.deepEqual(changeOf(SETTINGS, { ...form, isQuiet: false }), { revision: 'r1', rules: [], quiet_hours: '' });
  assert.deepEqual(
    changeOf(SETTINGS, { ...form, rules: form.rules.map((rule) => ({ ...rule, isOn: true })) })?.rules,
    [{ name: 'disk', is_on: true, bound: '10%' }],
  );
});

test('what somebody else saved is taken over, what stands changed in the form stays', () => {
  const form = formOf(SETTINGS);
  const mine = { ...form, rules: form.rules.map((rule) => (rule.name === 'lag' ? { ...rule, bound: '3h' } : rule)) };
  const theirs: AlertSettings = {
    ...SETTINGS, revision: 'r2', quiet_hours: '23:00-07:00',
    rules: SETTINGS.rules.map((rule) => ({ ...rule, is_on: true, ...(rule.name === 'lag' ? { bound: '4h' } : {}) })),
  };
  const both = carriedOver(SETTINGS, mine, theirs);
  assert.deepEqual(both.rules, [
    { name: 'run-failed', isOn: true, bound: undefined }, { name: 'lag', isOn: true, bound: '3h' }, { name: 'disk', isOn: true, bound: '10%' },
  ]);
  assert.equal(both.quietFrom, '23:00');
  assert.deepEqual(changeOf(theirs, both), { revision: 'r2', rules: [{ name: 'lag', is_on: true, bound: '3h' }] });
});

test('a rule that is on needs its bound', () => {
  const form = formOf(SETTINGS);
  const empty = { ...form, rules: form.rules.map((rule) => ({ ...rule, bound: rule.bound === undefined ? undefined : ' ' })) };
  assert.deepEqual(mistakesOf(empty), { bounds: ['lag'], isQuietWrong: false });
  assert.ok(mistakesOf({ ...form, quietUntil: '22:00' }).isQuietWrong);
  assert.ok(!mistakesOf({ ...form, isQuiet: false, quietUntil: '' }).isQuietWrong);
});

test('a backfill is asked for in Beijing time, or its fields say what is wrong', () => {
  assert.deepEqual(readBackfill({ from: '2026-11-20T00:00', until: '2026-11-27T00:00', share: ' 30 ' }), {
    ask: { from: '2026-11-19T16:00:00.000Z', until: '2026-11-26T16:00:00.000Z', share: 30 },
  });
  assert.deepEqual(readBackfill({ from: '2026-11-20T00:00', until: '2026-11-27T00:00', share: '' }), {
    ask: { from: '2026-11-19T16:00:00.000Z', until: '2026-11-26T16:00:00.000Z' },
  });
  assert.deepEqual(readBackfill({ from: '', until: '', share: '0' }), {
    mistakes: { from: 'fromMissing', until: 'untilMissing', share: 'shareRange' },
  });
  assert.deepEqual(readBackfill({ from: '2026-11-27T00:00', until: '2026-11-27T00:00', share: '101' }), {
    mistakes: { until: 'untilBefore', share: 'shareRange' },
  });
});

test('a part is never rounded to all or nothing', () => {
  assert.equal(share(0, 10), '0%');
  assert.equal(share(10, 10), '100%');
  assert.equal(share(1, 100_000), '<0.1%');
  assert.equal(share(99_999, 100_000), '>99.9%');
  assert.equal(share(1, 3), '33.3%');
  assert.equal(share(0, 0), '–');
});

test('the language is guessed from what the browser asks for', () => {
  assert.equal(guessLang(['zh-CN', 'en']), 'zh');
  assert.equal(guessLang(['de', 'en-GB', 'zh']), 'en');
  assert.equal(guessLang(['fr']), 'en');
  assert.equal(guessLang(['zh']), 'zh');
});
