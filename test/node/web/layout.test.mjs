import assert from 'node:assert/strict';
import test from 'node:test';
import { layOut, nearest, neighbour, OUTER } from '../../../node/web/src/mesh/layout.js';

const member = (id, domain, roles = ['node']) =>
  ({ id, failure_domain: domain, roles, standing: 'alive' });
const many = (count, domains) => Array.from({ length: count },
  (_, i) => member(`n${i}`, `d${i % domains}`));

function leastDistance(places) {
  const all = [...places.values()];
  let least = Infinity;
  for (let i = 0; i < all.length; ++i) {
    for (let j = 0; j < i; ++j) {
      least = Math.min(least, Math.hypot(all[i].x - all[j].x, all[i].y - all[j].y));
    }
  }
  return least;
}

test('everybody has a place inside the circle', () => {
  for (const [count, domains] of [[1, 1], [2, 2], [5, 3], [60, 6], [1000, 7], [1000, 1]]) {
    const { places } = layOut(many(count, domains));
    assert.equal(places.size, count);
    for (const { x, y } of places.values()) assert.ok(Math.hypot(x, y) <= OUTER + 0.01);
  }
});

test('no two stand in one spot, also with a thousand', () => {
  for (const [count, domains] of [[5, 3], [60, 6], [1000, 7], [1000, 40]]) {
    const plan = layOut(many(count, domains));
    assert.ok(leastDistance(plan.places) > plan.spacing * 0.6, `${count} in ${domains}`);
  }
});

test('the order in which members come changes nothing', () => {
  const members = many(40, 4);
  const other = layOut([...members].reverse());
  assert.deepEqual([...layOut(members).places].sort(), [...other.places].sort());
});

test('one more member of a large domain moves nobody of another', () => {
  const before = layOut(many(40, 4)).places;
  const after = layOut([...many(40, 4), member('n999', 'd0')]).places;
  for (let i = 0; i < 40; ++i) {
    if (i % 4 !== 0) assert.deepEqual(after.get(`n${i}`), before.get(`n${i}`));
  }
});

test('members of a domain stay within its sector', () => {
  const plan = layOut(many(200, 5));
  for (let i = 0; i < 200; ++i) {
    const sector = plan.sectors.find((each) => each.name === `d${i % 5}`);
    const { angle } = plan.places.get(`n${i}`);
    assert.ok(angle > sector.from && angle < sector.from + sector.width);
  }
});

test('relays are inside, also those that nobody knows as a member', () => {
  const plan = layOut([...many(6, 2), member('hub', 'd0', ['node', 'relay'])], ['outsider']);
  const far = (id) => Math.hypot(plan.places.get(id).x, plan.places.get(id).y);
  for (const id of ['hub', 'outsider']) assert.ok(far(id) < 0.3);
  for (let i = 0; i < 6; ++i) assert.ok(far(`n${i}`) > 0.4);
});

test('voters stand before others of their domain', () => {
  const plan = layOut([...many(40, 1), member('z', 'd0', ['voter'])]);
  const radius = (id) => Math.hypot(plan.places.get(id).x, plan.places.get(id).y);
  for (let i = 0; i < 40; ++i) assert.ok(radius('z') <= radius(`n${i}`) + 1e-9);
});

test('who is pointed at is the nearest within reach', () => {
  const { places } = layOut(many(30, 3));
  const { x, y } = places.get('n7');
  assert.equal(nearest(places, x + 0.005, y, 0.05), 'n7');
  assert.equal(nearest(places, 0, 0, 0.05), null);
});

test('arrow keys reach everybody', () => {
  const { places } = layOut(many(25, 4));
  const found = new Set(['n0']);
  const queue = ['n0'];
  for (const id of queue) {
    for (const way of [[-1, 0], [1, 0], [0, -1], [0, 1]]) {
      const next = neighbour(places, id, ...way);
      if (found.has(next)) continue;
      found.add(next);
      queue.push(next);
    }
  }
  assert.equal(found.size, 25);
});
