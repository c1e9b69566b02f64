import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  beijing, between, bytes, clock, count, date, dateTime, fromBeijing, fromInput, fullTime, percent, period, relative,
  shortTime, span, toInput,
} from '../src/format';

const AT = '2026-11-27T02:08:39Z';

test('instants are shown in Beijing time, as the command line shows them', () => {
  assert.equal(fullTime(AT), '2026-11-27 10:08:39+08:00');
  assert.equal(dateTime('2026-12-31T16:00:00Z'), '2027-01-01 00:00:00');
  assert.equal(date('2026-11-26T15:59:59.999Z'), '2026-11-26');
  assert.equal(date('2026-11-26T16:00:00Z'), '2026-11-27');
  assert.equal(clock('2026-11-26T16:05:00.632836592Z'), '00:05');
  assert.equal(beijing('2026-11-28T16:00:00Z').weekday, 0);
});

test('an instant is as short as the present allows', () => {
  assert.equal(shortTime(AT, '2026-11-27T15:00:00Z'), '10:08');
  assert.equal(shortTime(AT, '2026-11-27T16:00:00Z'), '11-27 10:08');
  assert.equal(shortTime(AT, '2026-12-31T16:00:00Z'), '2026-11-27 10:08');
});

test('what an input holds is Beijing time, whatever the zone of the browser', () => {
  assert.equal(toInput(AT), '2026-11-27T10:08');
  assert.equal(fromInput('2026-11-27T10:08')?.toISOString(), '2026-11-27T02:08:00.000Z');
  assert.equal(fromInput(''), undefined);
  assert.equal(fromInput('27.11.2026'), undefined);
  assert.equal(fromBeijing(2026, 13, 1).toISOString(), '2026-12-31T16:00:00.000Z');
});

test('spans have two units at most', () => {
  const cases: [number, string, string][] = [
    [0, '0 s', '0 秒'],
    [0.25, '250 ms', '250 毫秒'],
    [59.4, '59 s', '59 秒'],
    [60, '1 min', '1 分'],
    [61, '1 min 1 s', '1 分 1 秒'],
    [605, '10 min', '10 分'],
    [3_599, '59 min', '59 分'],
    [3_600, '1 h', '1 小时'],
    [7_500, '2 h 5 min', '2 小时 5 分'],
    [86_400, '1 d', '1 天'],
    [93_600, '1 d 2 h', '1 天 2 小时'],
    [86_400 * 41 + 7_200, '41 d', '41 天'],
    [-5, '0 s', '0 秒'],
  ];
  for (const [seconds, en, zh] of cases) {
    assert.equal(span(seconds, 'en'), en);
    assert.equal(span(seconds, 'zh'), zh);
  }
  assert.equal(between(AT, '2026-11-27T02:10:39Z', 'en'), '2 min');
});

test('distances from now go both ways', () => {
  const from = (seconds: number): string => new Date(new Date(AT).getTime() + seconds * 1000).toISOString();
  assert.equal(relative(from(-2), AT, 'en'), 'now');
  assert.equal(relative(from(-59), AT, 'en'), '59 s ago');
  assert.equal(relative(from(-61), AT, 'en'), '1 min ago');
  assert.equal(relative(from(300), AT, 'en'), 'in 5 min');
  assert.equal(relative(from(300), AT, 'zh'), '5 分钟后');
  assert.equal(relative(from(-7_300), AT, 'zh'), '2 小时前');
  assert.equal(relative(from(-86_400 * 3), AT, 'zh'), '3 天前');
});

test('counts, sizes, percentages and periods', () => {
  assert.equal(count(0), '0');
  assert.equal(count(1234567), '1,234,567');
  assert.equal(count(100), '100');
  assert.equal(bytes(512), '512 B');
  assert.equal(bytes(1536), '1.5 KiB');
  assert.equal(bytes(41_200_000_000), '38.4 GiB');
  assert.equal(percent(1, 3), 33);
  assert.equal(percent(5, 0), 0);
  assert.equal(period(1, 'en'), 'second');
  assert.equal(period(60, 'zh'), '分钟');
  assert.equal(period(300, 'en'), '5 min');
  assert.equal(period(86_400 * 30, 'zh'), '月');
});
