// The mapping editor without a browser: paths, trees, lines, what a dropped line means, and what differs.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { difference, linesOfText } from '../src/mapping/difference';
import { type Drop, dropped, type Ends, removed } from '../src/mapping/drop';
import { parseJson } from '../src/mapping/json';
import { linesOf, type RuleLike, ruleOf, unseen } from '../src/mapping/lines';
import { listsOf, nameOf, parentOf, partsOf, pathOf } from '../src/mapping/paths';
import { around, diffLines } from '../src/mapping/textdiff';
import { fixedRule, tomlText } from '../src/mapping/toml';
import { matches, rowAt, rowsOf, treeOf } from '../src/mapping/tree';

const none: ReadonlySet<string> = new Set();

describe('paths', () => {
  const cases: [path: string, parts: string[], parent: string | undefined, name: string, lists: string[]][] = [
    ['tid', ['tid'], undefined, 'tid', []],
    ['receiver.city', ['receiver', 'city'], 'receiver', 'city', []],
    ['items[*].qty', ['items', '[*]', 'qty'], 'items', 'qty', ['items']],
    ['tids[*]', ['tids', '[*]'], 'tids', '[*]', ['tids']],
    ['a[*].b[*].c', ['a', '[*]', 'b', '[*]', 'c'], 'a[*].b', 'c', ['a', 'a[*].b']],
    ['a[*][*].b', ['a', '[*]', '[*]', 'b'], 'a[*]', 'b', ['a', 'a[*]']],
    ['"a.b".c', ['"a.b"', 'c'], '"a.b"', 'c', []],
    ['x."单价[元]"', ['x', '"单价[元]"'], 'x', '单价[元]', []],
  ];
  for (const [path, parts, parent, name, lists] of cases) {
    test(path, () => {
      assert.deepEqual(partsOf(path), parts);
      assert.equal(pathOf(parts), path);
      assert.equal(parentOf(path), parent);
      assert.equal(nameOf(path), name);
      assert.deepEqual(listsOf(path), lists);
    });
  }

  test('a path that is no path ends all the same', () => {
    for (const path of ['', '.', '..', '[', 'a[', '"', '"a', 'a."', ']', 'a]b']) {
      assert.ok(Array.isArray(partsOf(path)), path);
      parentOf(path);
    }
  });
});

describe('trees', () => {
  const fields = ['tid', 'items[*].sku', 'items[*].qty', 'receiver.city', 'tags[*]'].map((path) => ({ path }));
  const tree = treeOf(fields);
  const shown = (folded: ReadonlySet<string>, filter = '') =>
    rowsOf(tree, { folded, wants: filter ? (path) => matches(filter, [path]) : undefined }).map(
      (row) => `${'  '.repeat(row.depth)}${row.name}`,
    );

  test('what fields are in is added', () => {
    assert.deepEqual(shown(none), ['tid', 'items', '  sku', '  qty', 'receiver', '  city', 'tags', '  [*]']);
  });

  test('a folded row hides what is in it', () => {
    assert.deepEqual(shown(new Set(['items', 'receiver'])), ['tid', 'items', 'receiver', 'tags', '  [*]']);
  });

  test('a filter shows what matches and what that is in, folded or not', () => {
    assert.deepEqual(shown(new Set(['items']), 'QTY'), ['items', '  qty']);
    assert.deepEqual(shown(none, 'items sku'), ['items', '  sku']);
    assert.deepEqual(shown(none, 'nowhere'), []);
  });

  test('a list that is named itself keeps what is known of it', () => {
    const rows = rowsOf(treeOf([{ path: 'items', kind: 'list' }, { path: 'items[*].sku', kind: 'text' }]), { folded: none });
    assert.equal(rows[0]?.field?.kind, 'list');
    assert.equal(rows[0]?.n_children, 1);
  });

  test('keys lead from row to row', () => {
    const rows = rowsOf(tree, { folded: none });
    assert.equal(rowAt(rows, 'tid', 'ArrowDown'), 'items');
    assert.equal(rowAt(rows, 'tid', 'ArrowUp'), undefined);
    assert.equal(rowAt(rows, 'tid', 'End'), 'tags[*]');
    assert.equal(rowAt(rows, 'tags[*]', 'Home'), 'tid');
    assert.equal(rowAt(rows, 'tid', 'PageDown'), 'tags[*]');
    assert.equal(rowAt(rows, 'gone', 'ArrowDown'), 'tid');
    assert.equal(rowAt(rows, 'tid', 'x'), undefined);
  });

  test('three hundred fields in deep lists stay in order', () => {
    const many = Array.from({ length: 300 }, (_, idx) => ({ path: `group${idx % 10}.list[*].field${idx}` }));
    const rows = rowsOf(treeOf(many), { folded: none });
    assert.equal(rows.length, 300 + 10 + 10);
    assert.equal(rows[2]?.path, 'group0.list[*].field0');
    assert.equal(rows[3]?.path, 'group0.list[*].field10');
  });
});

describe('lines', () => {
  const rules: RuleLike[] = [
    { target: 'code', from: ['tid'], kind: 'from' },
    { target: 'memo', from: ['memo', 'remark'], kind: 'from' },
    { target: 'org', from: [], kind: 'const' },
    { target: 'lines', from: ['items[*]'], kind: 'each' },
    { target: 'lines[*].sku', from: ['items[*].sku'], kind: 'from' },
    { target: 'lines[*].qty', from: ['items[*].qty'], kind: 'from' },
  ];
  const source = treeOf(['tid', 'memo', 'remark', 'items', 'items[*].sku', 'items[*].qty'].map((path) => ({ path })));
  const target = treeOf(['code', 'memo', 'org', 'lines', 'lines[*].sku', 'lines[*].qty'].map((path) => ({ path })));
  const drawn = (left: ReadonlySet<string>, right: ReadonlySet<string>) =>
    linesOf(rules, rowsOf(source, { folded: left }), rowsOf(target, { folded: right })).map(
      (line) => `${line.source} ${line.isFolded ? '~' : '-'} ${line.target}`,
    );

  test('each field that a rule reads has one', () => {
    assert.deepEqual(drawn(none, none), [
      'tid - code',
      'memo - memo',
      'remark - memo',
      'items - lines',
      'items[*].sku - lines[*].sku',
      'items[*].qty - lines[*].qty',
    ]);
  });

  test('folded fields are stood for by what they are in, once', () => {
    assert.deepEqual(drawn(new Set(['items']), none).slice(3), [
      'items - lines',
      'items ~ lines[*].sku',
      'items ~ lines[*].qty',
    ]);
    assert.deepEqual(drawn(new Set(['items']), new Set(['lines'])).slice(3), ['items - lines']);
  });

  test('a field that the filter hides has none', () => {
    const left = rowsOf(source, { folded: none, wants: (path) => path === 'items[*].sku' });
    const lines = linesOf(rules, left, rowsOf(target, { folded: none }));
    assert.deepEqual(lines.map((line) => line.id.replace('\u0000', ' ')), ['items lines', 'items[*].sku lines[*].sku']);
  });

  test('fields that no sample had are named', () => {
    assert.deepEqual(unseen(rules, [{ path: 'tid' }, { path: 'items' }, { path: 'items[*].sku' }]), [
      'memo',
      'remark',
      'items[*].qty',
    ]);
  });

  test('the rule of a list is found with and without its mark', () => {
    assert.equal(ruleOf(rules, 'lines[*]')?.kind, 'each');
    assert.equal(ruleOf(rules, 'nothing'), undefined);
  });
});

describe('a dropped line', () => {
  const plain: RuleLike[] = [
    { target: 'code', from: ['tid'], kind: 'from' },
    { target: 'org', from: [], kind: 'const' },
    { target: 'total', from: ['payment', 'postFee'], kind: 'expr' },
  ];
  const lined: RuleLike[] = [
    ...plain,
    { target: 'lines', from: ['items'], kind: 'each' },
    { target: 'lines[*].sku', from: ['items[*].sku'], kind: 'from' },
  ];
  const ends = (source: string, target: string, about: { source?: boolean; list?: boolean; fields?: boolean } = {}): Ends => ({
    source: { path: source, isList: about.source ?? false },
    target: { path: target, isList: about.list ?? false, hasFields: about.fields ?? false },
  });
  const cases: [what: string, ends: Ends, rules: RuleLike[], drop: Drop][] = [
    [
      'fills a field',
      ends('memo', 'remark'),
      plain,
      { do: 'edit', edits: [{ target: 'remark', rule: { from: 'memo' } }] },
    ],
    ['changes what a field is filled from', ends('sid', 'code'), plain, { do: 'edit', edits: [{ target: 'code', rule: { from: 'sid' } }] }],
    ['that is there already does nothing', ends('tid', 'code'), plain, { do: 'nothing' }],
    [
      'asks before a fixed value is lost',
      ends('org_id', 'org'),
      plain,
      { do: 'ask', was: 'const', edits: [{ target: 'org', rule: { from: 'org_id' } }] },
    ],
    [
      'asks before an expression is lost, though it reads the field',
      ends('payment', 'total'),
      plain,
      { do: 'ask', was: 'expr', edits: [{ target: 'total', rule: { from: 'payment' } }] },
    ],
    [
      'keeps an expression that is said of a field',
      ends('remark', 'memo'),
      [{ target: 'memo', from: ['memo'], kind: 'expr', toml: "{ from = \"memo\", expr = 'trim' }" }],
      { do: 'edit', edits: [{ target: 'memo', rule: { from: 'remark' } }] },
    ],
    [
      'from many values to one offers the first',
      ends('items[*].sku', 'code'),
      plain,
      {
        do: 'refuse',
        refusal: { why: 'many', list: 'items' },
        instead: [{ target: 'code', rule: { toml: '{ from = "items[0].sku" }' } }],
      },
    ],
    [
      'into a list that is not filled yet leaves the list to the server',
      ends('items[*].qty', 'lines[*].qty'),
      plain,
      {
        do: 'edit',
        edits: [{ target: 'lines[*].qty', rule: { from: 'items[*].qty' } }],
      },
    ],
    [
      'into a list that is filled fills the field',
      ends('items[*].qty', 'lines[*].qty'),
      lined,
      { do: 'edit', edits: [{ target: 'lines[*].qty', rule: { from: 'items[*].qty' } }] },
    ],
    [
      'from the record into a list repeats it on each line',
      ends('tid', 'lines[*].order'),
      lined,
      { do: 'edit', edits: [{ target: 'lines[*].order', rule: { from: 'tid' } }] },
    ],
    [
      'from the record into a list that is not filled is refused',
      ends('tid', 'lines[*].order'),
      plain,
      { do: 'refuse', refusal: { why: 'no-list', list: 'lines' } },
    ],
    [
      'from another list is refused',
      ends('gifts[*].sku', 'lines[*].sku'),
      lined,
      { do: 'refuse', refusal: { why: 'other-list', list: 'gifts', each: 'items' } },
    ],
    [
      'from a list inside the list is refused too',
      ends('items[*].batches[*].no', 'lines[*].batch'),
      lined,
      { do: 'refuse', refusal: { why: 'other-list', list: 'items[*].batches', each: 'items' } },
    ],
    [
      'from a list to a list makes its lines',
      ends('items', 'lines', { source: true, list: true, fields: true }),
      plain,
      { do: 'edit', edits: [{ target: 'lines', rule: { toml: '{ each = "items" }' } }] },
    ],
    [
      'from a list in the elements to a list of the lines',
      ends('items[*].batches', 'lines[*].batches', { source: true, list: true, fields: true }),
      lined,
      { do: 'edit', edits: [{ target: 'lines[*].batches', rule: { toml: '{ each = "batches" }' } }] },
    ],
    [
      'from a list of the record to a list of the lines',
      ends('gifts', 'lines[*].gifts', { source: true, list: true, fields: true }),
      lined,
      { do: 'edit', edits: [{ target: 'lines[*].gifts', rule: { toml: '{ each = "$.gifts" }' } }] },
    ],
    ['from the list that it is made from does nothing', ends('items', 'lines', { source: true, list: true, fields: true }), lined, { do: 'nothing' }],
    [
      'from another list to a list asks',
      ends('gifts', 'lines', { source: true, list: true, fields: true }),
      lined,
      { do: 'ask', was: 'each', edits: [{ target: 'lines', rule: { from: 'gifts' } }] },
    ],
    [
      'from a plain value to a list is refused',
      ends('tid', 'lines', { list: true, fields: true }),
      lined,
      { do: 'refuse', refusal: { why: 'shape' } },
    ],
    ['onto what holds fields is refused', ends('tid', 'head', { fields: true }), plain, { do: 'refuse', refusal: { why: 'shape' } }],
  ];
  for (const [what, at, rules, drop] of cases) {
    test(what, () => assert.deepEqual(dropped(at, rules), drop));
  }

  test('a line that is taken away takes its rule with it, unless the rule is a choice', () => {
    assert.deepEqual(removed({ target: 'code', from: ['tid'], kind: 'from' }), { target: 'code', rule: undefined });
    assert.equal(removed({ target: 'memo', from: ['memo', 'remark'], kind: 'from' }), undefined);
    assert.deepEqual(removed({ target: 'sum', from: ['a', 'b'], kind: 'expr' }), { target: 'sum', rule: undefined });
  });
});

describe('what the page writes of TOML', () => {
  test('texts keep every character', () => {
    assert.equal(tomlText('0518'), '"0518"');
    assert.equal(tomlText('a"b\\c\n\u0001单'), '"a\\"b\\\\c\\n\\u0001单"');
    assert.equal(fixedRule('x'), '{ const = "x" }');
  });
});

describe('documents', () => {
  const read = (lines: ReturnType<typeof linesOfText>) =>
    lines.map(
      (line) =>
        `${line.mark ? { added: '+', changed: '~', removed: '-' }[line.mark] : ' '}${'  '.repeat(line.depth)}${
          line.name === undefined ? '' : `${line.name}: `
        }${line.text}`,
    );

  test('numbers stay as they are written', () => {
    const text = '{"id":6920000000000000001,"big":1234567890123456789012,"a":0.10,"b":1E+2,"c":-0.0}';
    assert.deepEqual(read(linesOfText(text)), [
      ' {',
      '   id: 6920000000000000001,',
      '   big: 1234567890123456789012,',
      '   a: 0.10,',
      '   b: 1E+2,',
      '   c: -0.0',
      ' }',
    ]);
  });

  test('texts are read, not spelled', () => {
    assert.deepEqual(read(linesOfText('["\\u77ed\\u8896", "a\\"b", "\\n"]')), [' [', '   "短袖",', '   "a\\"b",', '   "\\n"', ' ]']);
  });

  test('what is no JSON is shown as it is', () => {
    for (const text of ['', '<html>\n</html>', '{"a":1', '{"a":1}}', '{"a":01}', '[1,]', 'tru', '{"a" 1}', `${'['.repeat(5000)}`]) {
      assert.equal(parseJson(text), undefined, text.slice(0, 20));
      assert.deepEqual(linesOfText(text).map((line) => line.text), text.split('\n'));
    }
  });

  test('what differs is marked, in its place', () => {
    const before = '{"code":"1","gone":{"a":1},"qty":2,"lines":[{"sku":"A","n":1},{"sku":"B"}]}';
    const after = '{"code":"1","qty":2.0,"new":[],"lines":[{"sku":"A","n":1}]}';
    assert.deepEqual(read(difference(before, after)), [
      ' {',
      '   code: "1",',
      '-  gone: {',
      '-    a: 1',
      '-  }',
      '~  qty: 2.0,',
      '+  new: [],',
      '   lines: [',
      '     {',
      '       sku: "A",',
      '       n: 1',
      '     }',
      '-    {',
      '-      sku: "B"',
      '-    }',
      '   ]',
      ' }',
    ]);
  });

  test('without an older document nothing is marked', () => {
    assert.ok(difference(undefined, '{"a":[1,{"b":null}]}').every((line) => line.mark === undefined));
  });

  test('a value that becomes an object is changed as a whole', () => {
    assert.deepEqual(read(difference('{"a":1}', '{"a":{"b":1}}')), [' {', '~  a: {', '~    b: 1', '~  }', ' }']);
  });
});

describe('texts', () => {
  const read = (before: string, after: string) =>
    diffLines(before, after).map((line) => `${{ both: ' ', old: '-', new: '+' }[line.side]}${line.text}`);

  test('differ by lines', () => {
    assert.deepEqual(read('a\nb\nc\nd', 'a\nc\nx\nd\ne'), [' a', '-b', ' c', '+x', ' d', '+e']);
    assert.deepEqual(read('a', 'a'), [' a']);
    assert.deepEqual(read('', 'a'), ['-', '+a']);
  });

  test('of two versions both can be read back', () => {
    // A small generator, always the same: texts of up to 12 lines out of 4 words.
    let seed = 7;
    const next = (n: number) => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return Math.floor(seed / 65536) % n;
    };
    const text = () => Array.from({ length: 1 + next(12) }, () => 'abcd'[next(4)]).join('\n');
    for (let turn = 0; turn < 500; turn += 1) {
      const [before, after] = [text(), text()];
      const lines = diffLines(before, after);
      const of = (side: 'old' | 'new') =>
        lines.filter((line) => line.side === 'both' || line.side === side).map((line) => line.text).join('\n');
      assert.equal(of('old'), before);
      assert.equal(of('new'), after);
    }
  });

  test('are shown around what differs', () => {
    const old = Array.from({ length: 20 }, (_, idx) => `line ${idx}`);
    const now = old.map((line, idx) => (idx === 10 ? 'other' : line));
    const shown = around(diffLines(old.join('\n'), now.join('\n')), 1).map((line) => line?.text ?? '…');
    assert.deepEqual(shown, ['…', 'line 9', 'line 10', 'other', 'line 11', '…']);
  });
});
