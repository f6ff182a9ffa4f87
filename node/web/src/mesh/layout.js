// Where everybody stands in the picture of the mesh. Pure.
//
// Fixed, not found by forces: a node keeps its place from one drawing to the next, so that an
// operator learns where it is, and n nodes cost O(n). Relays are on the inner circle; outside, each
// failure domain has a sector, filled ring by ring from the inside, voters first, then by id.
// A sector's share grows with the root of its size, so one that gains a node rarely moves others.
//
// Units: the circle's radius is 1, the middle is (0, 0); the caller scales.
import { byName } from '../model/format.js';
import { domainOf, isRelay, isVoter } from '../model/members.js';

export const RELAY_RADIUS = 0.26;
export const INNER = 0.46;
export const OUTER = 0.95;
const GAP = 0.07; // radians between two sectors
const SPACING_MAX = 0.17;

const order = (a, b) => (isVoter(b) - isVoter(a)) || byName(a.id, b.id);

// Places on the rings of a sector `width` radians wide, at least `spacing` apart.
function rings(width, spacing) {
  const list = [];
  for (let radius = INNER; radius <= OUTER + 1e-9; radius += spacing) {
    list.push({ radius, places: Math.max(1, Math.floor((width * radius) / spacing)) });
  }
  return list;
}

const room = (list) => list.reduce((sum, ring) => sum + ring.places, 0);

function fits(sectors, spacing) {
  return sectors.every((sector) => room(rings(sector.width, spacing)) >= sector.members.length);
}

function sectorsOf(members) {
  const found = new Map();
  for (const member of members) {
    const domain = domainOf(member);
    if (!found.has(domain)) found.set(domain, []);
    found.get(domain).push(member);
  }
  const names = [...found.keys()].sort(byName);
  const weights = names.map((name) => Math.max(2, Math.ceil(Math.sqrt(found.get(name).length))));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const gap = names.length > 1 ? Math.min(GAP, Math.PI / names.length) : 0;
  let angle = -Math.PI / 2;
  return names.map((name, i) => {
    const share = (2 * Math.PI * weights[i]) / total;
    const sector = { name, from: angle + gap / 2, width: share - gap, members: found.get(name) };
    angle += share;
    return sector;
  });
}

// As few rings as hold them all, each with its fair part: no ring is left with a single node.
function fill(list, count) {
  let rest = count;
  let used = 0;
  for (let left = count; left > 0; ++used) left -= list[used].places;
  let free = room(list.slice(0, used));
  return list.slice(0, used).map((ring) => {
    const part = Math.round((rest * ring.places) / free);
    rest -= part;
    free -= ring.places;
    return { ...ring, count: part };
  });
}

function placeSector(sector, spacing, places) {
  const list = rings(sector.width, spacing);
  const used = fill(list, sector.members.length);
  // Few members: in the middle of the sector's depth, not all at its inner edge.
  const shift = used.length < list.length ? ((list.length - used.length) * spacing) / 2 : 0;
  const sortedMembers = [...sector.members].sort(order);
  let next = 0;
  for (const ring of used) {
    const step = sector.width / ring.count;
    for (let i = 0; i < ring.count; ++i) {
      const angle = sector.from + step * (i + 0.5);
      const radius = ring.radius + shift;
      places.set(sortedMembers[next++].id,
        { x: radius * Math.cos(angle), y: radius * Math.sin(angle), angle });
    }
  }
}

// `relays`: ids on the inner circle, members or not.
export function layOut(members, relays = []) {
  const inside = new Set(relays);
  for (const member of members) if (isRelay(member)) inside.add(member.id);
  const sectors = sectorsOf(members.filter((member) => !inside.has(member.id)));
  let spacing = SPACING_MAX;
  while (spacing > 0.004 && !fits(sectors, spacing)) spacing *= 0.94;
  const places = new Map();
  for (const sector of sectors) placeSector(sector, spacing, places);
  [...inside].sort(byName).forEach((id, i) => {
    const angle = -Math.PI / 2 + (2 * Math.PI * i) / inside.size;
    const radius = inside.size === 1 ? 0 : RELAY_RADIUS;
    places.set(id, { x: radius * Math.cos(angle), y: radius * Math.sin(angle), angle });
  });
  return {
    places, spacing, relays: inside,
    sectors: sectors.map(({ name, from, width, members: all }) =>
      ({ name, from, width, count: all.length })),
  };
}

// Who is at this point, at most `reach` away; null: nobody.
export function nearest(places, x, y, reach) {
  let best = null;
  let least = reach * reach;
  for (const [id, place] of places) {
    const square = (place.x - x) ** 2 + (place.y - y) ** 2;
    if (square > least) continue;
    least = square;
    best = id;
  }
  return best;
}

// Who is next in a direction (dx, dy), for the arrow keys: the nearest within 60 degrees of it.
export function neighbour(places, id, dx, dy) {
  const from = places.get(id);
  if (!from) return places.keys().next().value ?? null;
  let best = id;
  let least = Infinity;
  for (const [other, place] of places) {
    const x = place.x - from.x;
    const y = place.y - from.y;
    const along = x * dx + y * dy;
    const far = Math.hypot(x, y);
    if (other === id || along < far / 2) continue;
    const cost = far + (far - along);
    if (cost >= least) continue;
    least = cost;
    best = other;
  }
  return best;
}
