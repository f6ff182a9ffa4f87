import assert from 'node:assert/strict';
import test from 'node:test';
import { addEvents, createReader, detailsOf, emptyTap, FRAMES_KEPT }
  from '../../../node/web/src/tap/stream.js';

const frame = (seq) => ({ wall_ms: 1000 * seq, node: 'n1', dir: 'in', channel: 'pub', kind: 'beat',
  from: 'n2', to: '', peer: 'n2', seq, corr: 0, bytes: 52, summary: 'inc=3' });
const message = (seq) => ({ event: 'message', data: frame(seq) });

test('events are read from whatever pieces they come in', () => {
  const text = `: here\n\ndata: ${JSON.stringify(frame(1))}\n\nevent: dropped\ndata: {"dropped":3}\n\n`;
  for (const size of [1, 7, 1000]) {
    const read = createReader();
    const found = [];
    for (let at = 0; at < text.length; at += size) found.push(...read(text.slice(at, at + size)));
    assert.deepEqual(found, [message(1), { event: 'dropped', data: { dropped: 3 } }]);
  }
});

test('a gap is counted, and stands where the messages are missing', () => {
  const tap = addEvents(emptyTap(), [message(1), { event: 'dropped', data: { dropped: 5 } }, message(9)]);
  assert.equal(tap.dropped, 5);
  assert.deepEqual(tap.frames.map((one) => one.lost || one.seq), [1, 5, 9]);
  assert.equal(new Set(tap.frames.map((one) => one.number)).size, 3);
});

test('only the newest messages are kept, and a frozen picture stays as it is', () => {
  const frozen = addEvents(emptyTap(), [message(1)]);
  const later = addEvents(frozen, Array.from({ length: FRAMES_KEPT }, (_, i) => message(i + 2)));
  assert.equal(frozen.frames.length, 1);
  assert.equal(later.frames.length, FRAMES_KEPT);
  assert.equal(later.frames[0].seq, 2);
  assert.equal(later.seen, FRAMES_KEPT + 1);
});

test('what the node cannot do is said', () => {
  const tap = addEvents(emptyTap(), [{ event: 'trouble', data: { error: 'enough taps already' } }]);
  assert.equal(tap.trouble, 'enough taps already');
});

test('a message to everyone says so', () => {
  assert.equal(Object.fromEntries(detailsOf(frame(1))).to, 'everyone');
});
