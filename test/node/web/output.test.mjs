import assert from 'node:assert/strict';
import test from 'node:test';
import { addPart, emptyLog, LOG_KEPT } from '../../../node/web/src/work/output.js';

const part = (fence, offset, text) => ({ fence, offset, text, next: offset + text.length });

test('parts of an output follow each other', () => {
  const log = addPart(addPart(emptyLog(), part(7, 0, 'one ')), part(7, 4, 'two'));
  assert.deepEqual([log.text, log.next, log.missing], ['one two', 7, 0]);
});

test('what was not kept is counted, and what comes after it stands alone', () => {
  const log = addPart(addPart(emptyLog(), part(7, 0, 'one ')), part(7, 900, 'two'));
  assert.deepEqual([log.text, log.missing], ['two', 900]);
  assert.equal(addPart(emptyLog(), part(7, 50, 'tail')).missing, 50);
});

test('another attempt has another output', () => {
  const log = addPart(addPart(emptyLog(), part(7, 0, 'first try')), part(9, 0, 'second'));
  assert.deepEqual([log.text, log.next], ['second', 6]);
});

test('a flood is cut in front', () => {
  const log = addPart(emptyLog(), part(7, 0, `${'x'.repeat(LOG_KEPT)}end`));
  assert.equal(log.text.length, LOG_KEPT);
  assert.ok(log.text.endsWith('end'));
});
