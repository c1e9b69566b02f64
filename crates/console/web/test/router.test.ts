import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address } from '../src/api/client';
import { link, links, parseHash, plainAddress } from '../src/router';

test('every link leads to its page', () => {
  const name = '订单 1/2?#%';
  const cases: [string, object][] = [
    [links.overview(), { page: 'overview' }],
    [links.flow(name), { page: 'flow', flow: name }],
    [links.run(name, 12), { page: 'run', flow: name, run: 12 }],
    [links.mapping(name), { page: 'mapping', flow: name }],
    [links.letters(name), { page: 'letters', flow: name }],
    [links.trace('x'), { page: 'trace' }],
    [links.calendar(), { page: 'calendar' }],
    [links.accounts(), { page: 'accounts' }],
    [links.account(name), { page: 'account', account: name }],
    [links.alerts(), { page: 'alerts' }],
    [links.doctor(), { page: 'doctor' }],
    [links.audit(), { page: 'audit' }],
  ];
  for (const [to, route] of cases) assert.deepEqual(parseHash(to).route, route, to);
});

test('parameters survive, and those without a value are left out', () => {
  const { query } = parseHash(links.trace('2026&x=1 中', 'orders'));
  assert.equal(query.get('id'), '2026&x=1 中');
  assert.equal(query.get('flow'), 'orders');
  assert.equal(link(['a'], { b: undefined, c: '' }), '#/a');
});

test('addresses that lead nowhere are said to', () => {
  for (const hash of ['#/flows', '#/flows/a/runs/x', '#/flows/a/b', '#/nothing', '#/accounts/a/b']) {
    assert.deepEqual(parseHash(hash).route, { page: 'missing' }, hash);
  }
  assert.deepEqual(parseHash('').route, { page: 'overview' });
  assert.deepEqual(parseHash('#/flows/%E0%A4%A').route, { page: 'flow', flow: '%E0%A4%A' });
});

test('an address without # leads to the same page', () => {
  assert.equal(plainAddress('/flows/orders', '?a=1'), '/flows/orders?a=1');
  assert.equal(plainAddress('//flows/orders', ''), '/flows/orders');
  assert.equal(plainAddress('/', ''), undefined);
  assert.equal(plainAddress('/milkrun/', ''), undefined);
});

test('addresses of the API are escaped', () => {
  assert.equal(address(['flows', 'a/b', 'runs'], { before: 3, limit: undefined }), '/api/v1/flows/a%2Fb/runs?before=3');
  assert.equal(address(['trace'], { id: '1&2' }), '/api/v1/trace?id=1%262');
});
