import assert from 'node:assert/strict';
import { test } from 'node:test';
import { layOut, pretty, tokens } from '../src/json';

test('every number and every text stays as it was written', () => {
  const text = '{"oid":6920000000000000001,"big":1234567890123456789012,"a":0.10,"b":1000000000000000.01,"c":1E+2,"t":"\\u4e2d\\"文"}';
  assert.equal(
    pretty(text),
    '{\n  "oid": 6920000000000000001,\n  "big": 1234567890123456789012,\n  "a": 0.10,\n  "b": 1000000000000000.01,\n'
      + '  "c": 1E+2,\n  "t": "\\u4e2d\\"文"\n}',
  );
});

test('nesting is laid out, empty brackets stay together', () => {
  assert.equal(pretty('{"a":[],"b":{},"c":[1,{"d":null}]}'), '{\n  "a": [],\n  "b": {},\n  "c": [\n    1,\n    {\n      "d": null\n    }\n  ]\n}');
  assert.equal(pretty(' [ ] '), '[]');
  assert.equal(pretty('"{[,:"'), '"{[,:"');
});

test('names and texts are told apart, wherever the colon is', () => {
  assert.deepEqual(tokens('{"a" : "b:c"}')?.map((piece) => piece.kind), ['mark', 'key', 'mark', 'text', 'mark']);
});

test('what is no JSON stays as it is', () => {
  assert.equal(tokens('<html>'), undefined);
  assert.deepEqual(layOut('<html>'), [{ kind: 'space', text: '<html>' }]);
  assert.equal(pretty('{"cut": "of'), '{"cut": "of');
});
