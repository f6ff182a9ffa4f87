// What can be said about members from the documents alone. Pure.
import { byName } from './format.js';

export const STANDINGS = ['alive', 'suspect', 'unreachable', 'dead', 'left'];

// Higher is worse; who left did so on purpose.
const TROUBLE = { dead: 4, unreachable: 3, suspect: 2, alive: 0, left: 1 };
export const trouble = (member) => TROUBLE[member.standing] ?? 0;

export const isVoter = (member) => (member.roles || []).includes('voter');
export const isRelay = (member) => (member.roles || []).includes('relay');
export const domainOf = (member) => member.failure_domain || 'no domain';
export const beatAge = (member) => member.watch?.last_beat?.age_ms ?? null;
export const rtt = (member) => member.watch?.rtt_ms ?? null;

// A sentence for those who hear the page.
export function describe(member, leader) {
  const words = [member.id, member.standing, `in ${domainOf(member)}`];
  if (member.id === leader) words.push('leader');
  if (isVoter(member)) words.push('voter');
  if (member.self) words.push('the node that shows this');
  return words.join(', ');
}

function median(values) {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

export function summarise(members) {
  const counts = Object.fromEntries(STANDINGS.map((name) => [name, 0]));
  let gpus = 0;
  let cpus = 0;
  for (const member of members) {
    counts[member.standing] = (counts[member.standing] || 0) + 1;
    if (member.standing !== 'alive') continue;
    gpus += member.resources?.gpus || 0;
    cpus += member.resources?.cpus || 0;
  }
  const times = members.map(rtt).filter((each) => each !== null);
  return { counts, gpus, cpus, rtt_ms: median(times), rttMax: times.length ? Math.max(...times) : null };
}

// Every word of the filter must be somewhere in what is shown of the member.
export function matches(member, filter, leader) {
  if (!filter) return true;
  const text = [describe(member, leader), JSON.stringify(member.tags || {}), member.software,
    member.resources?.gpu_name].join(' ').toLowerCase();
  return filter.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

const KEYS = {
  id: (member) => member.id,
  standing: (member) => -trouble(member),
  domain: domainOf,
  beat: (member) => -(beatAge(member) ?? -1),
  rtt: (member) => -(rtt(member) ?? -1),
  gpus: (member) => -(member.resources?.gpus || 0),
};

export function sorted(members, key, isDown) {
  const of = KEYS[key] || KEYS.id;
  const sign = isDown ? -1 : 1;
  return members.map((member) => [of(member), member]).sort(([x, a], [y, b]) => {
    if (x === y) return byName(a.id, b.id);
    return (typeof x === 'string' ? byName(x, y) : x - y) * sign;
  }).map(([, member]) => member);
}
