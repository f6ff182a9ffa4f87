import assert from 'node:assert/strict';
import test from 'node:test';
import { count, megabytes, span } from '../../../node/web/src/model/format.js';
import { matches, sorted, summarise } from '../../../node/web/src/model/members.js';
import { reasonsOf } from '../../../node/web/src/model/reasons.js';
import { linesOf } from '../../../node/web/src/mesh/lines.js';
import { addColumn, COLUMN_MS, COLUMNS, heatOf, rowsOf }
  from '../../../node/web/src/heat/history.js';
import { addSample, columnsOf, SAMPLES, SERIES } from '../../../node/web/src/queue/samples.js';
import { cutsOf, spansOf } from '../../../node/web/src/leader/spans.js';

const at = (ms) => ({ at: new Date(ms).toISOString(), age_ms: 0 });
const member = (id, standing, watch = null) => ({ id, standing, watch, roles: ['node'],
  failure_domain: 'lab', software: '0.1.0', resources: { cpus: 4, gpus: 1, gpu_name: 'RTX' } });
const watch = (age, rtt = 5) => ({ last_beat: { age_ms: age }, rtt_ms: rtt, silence_limit_ms: 5000,
  accusers: [] });

test('spans of time have two units at most', () => {
  assert.deepEqual([0.25, 850, 7100, 61000, 93784000, null].map(span),
    ['0.3 ms', '850 ms', '7.1 s', '1 m 1 s', '1 d 2 h', '–']);
});

test('large numbers are shortened', () => {
  assert.deepEqual([0, 9999, 12345, 3e6, null].map(count), ['0', '9999', '12.3 k', '3.0 M', '–']);
  assert.deepEqual([512, 65536, 2 * 1024 * 1024].map(megabytes), ['512 MB', '64 GB', '2.0 TB']);
});

test('members are counted by standing, and only the living lend resources', () => {
  const sums = summarise([member('a', 'alive', watch(1, 9)), member('b', 'dead'),
    member('c', 'alive')]);
  assert.equal(sums.counts.alive, 2);
  assert.equal(sums.counts.dead, 1);
  assert.equal(sums.gpus, 2);
  assert.equal(sums.rtt_ms, 9);
});

test('sorted by standing the worst comes first, and n2 before n10', () => {
  const list = [member('n10', 'alive'), member('n2', 'alive'), member('n3', 'dead')];
  assert.deepEqual(sorted(list, 'standing', false).map((each) => each.id), ['n3', 'n2', 'n10']);
});

test('a filter wants all of its words', () => {
  const one = member('n1', 'dead');
  assert.ok(matches(one, 'DEAD lab', 'n1'));
  assert.ok(matches(one, 'leader rtx', 'n1'));
  assert.ok(!matches(one, 'dead elsewhere', 'n1'));
});

test('only relayed connections and those in trouble are drawn', () => {
  const up = { up: true, failures: 0 };
  const down = { up: false, failures: 3, trouble: 'refused' };
  const links = [
    { peer: 'b', calls: up, beats: up, paths: [] },
    { peer: 'c', calls: up, beats: up, paths: [{ in_use: true, relay: 'r' }] },
    { peer: 'd', calls: down, beats: up, paths: [] },
    { peer: 'gone', calls: down, beats: down, paths: [] }];
  const members = [member('a', 'alive'), member('b', 'alive'), member('c', 'alive'),
    member('d', 'dead'), member('gone', 'left')];
  const lines = linesOf('a', members, links, [{ id: 'r', attached: ['c', 'd'], homes: ['c'] }]);
  assert.deepEqual(lines.map((line) => `${line.kind} ${line.from} ${line.to}`),
    ['home r c', 'attached r d', 'relayed a c', 'bad a d']);
  assert.match(lines[3].text, /refused/);
});

test('the heat map keeps the worst of a column, and ten minutes', () => {
  let history = addColumn(null, [member('a', 'alive', watch(900))], 1000);
  history = addColumn(history, [member('a', 'alive', watch(100))], 1500);
  assert.equal(history.columns.length, 1);
  assert.equal(history.columns[0].values.get('a').beat, 900);
  for (let i = 1; i < 400; ++i) {
    history = addColumn(history, [member('a', 'alive', watch(100))], 1000 + i * COLUMN_MS);
  }
  assert.equal(history.columns.length, COLUMNS);
});

test('heat is the share of the silence that is allowed', () => {
  assert.equal(heatOf({ beat: 2500, limit: 5000 }, 'beat'), 0.5);
  assert.equal(heatOf({ beat: 99999, limit: 5000 }, 'beat'), 1);
  assert.equal(heatOf({ rtt: 1000 }, 'rtt'), 1);
  assert.equal(heatOf({ rtt: null }, 'rtt'), null);
  assert.equal(heatOf(undefined, 'beat'), null);
});

test('the hottest row comes first', () => {
  const history = addColumn(null,
    [member('a', 'alive', watch(1)), member('b', 'alive', watch(4000))], 0);
  assert.deepEqual(rowsOf(history, 'beat'), ['b', 'a']);
});

test('rates are of the time between samples, never negative', () => {
  const stats = (granted) => ({ items: { ready: 1, leased: 2, delayed: 0, dead: 0 },
    kinds: [{ granted, completed: 0, failed: 0, lost: 0 }] });
  let samples = addSample([], stats(10), 1000);
  samples = addSample(samples, stats(30), 3000);
  assert.equal(samples[1].claims, 10);
  samples = addSample(samples, stats(5), 5000);
  assert.equal(samples[2].claims, 0);
  for (let i = 0; i < SAMPLES; ++i) samples = addSample(samples, stats(5), 6000 + i);
  assert.equal(samples.length, SAMPLES);
  assert.equal(columnsOf(samples, SERIES).length, SERIES.length + 1);
});

test('the journal tells who led when, and when nobody did', () => {
  const event = (ms, subject, text) => ({ kind: 'leader', when: at(ms), subject, text });
  const spans = spansOf([event(1000, 'a', 'campaigns in term 1'),
    event(2000, 'a', 'leads in term 1'), event(2100, 'a', 'settled in term 1'), event(5000, 'b', 'campaigns in term 2'),
    event(6000, 'c', 'follows in term 2, because of newer_term')],
  { leader: 'c', term: 2, since: at(6000) }, 9000);
  assert.deepEqual(spans.map((each) => [each.leader, each.term, each.from, each.to]),
    [[null, 1, 1000, 2000], ['a', 1, 2000, 5000], [null, 2, 5000, 6000], ['c', 2, 6000, 9000]]);
});

test('a leader that the journal does not name is known from now', () => {
  const spans = spansOf([], { leader: 'x', term: 7, since: { age_ms: 3000 } }, 10000);
  assert.deepEqual(spans, [{ from: 7000, to: 10000, leader: 'x', term: 7 }]);
});

test('losses of members are marked', () => {
  const cuts = cutsOf([{ kind: 'died', when: at(5), subject: 'a' },
    { kind: 'joined', when: at(6) }]);
  assert.deepEqual(cuts, [{ at: 5, subject: 'a', kind: 'died' }]);
});

test('an unreachable member says how long it is not suspected', () => {
  const reasons = (standing, frozen) => reasonsOf({
    member: { standing, verified: true, since: { age_ms: 7100 } }, calls: null, beats: null,
    watch: { last_beat: { age_ms: 9000 }, silence_limit_ms: 5000, beats: 9, beats_missed: 1,
      accusers: [], verdict_due_ms: null, frozen_until_ms: frozen } });
  assert.ok(reasons('unreachable', 52900).includes(
    'none of its relays answers: it is not suspected for another 53 s'));
  assert.ok(!reasons('alive', null).some((one) => one.includes('relays')));
});
