// Why a member is thought to be what it is, in words, from what the node asked measured itself.
import { ago, span } from './format.js';

export function reasonsOf(shown) {
  const { member, watch, calls, beats } = shown;
  if (member.self) return ['It answers you.'];
  const reasons = [`${member.standing} for ${span(member.since.age_ms)}, ` +
    (member.verified ? 'as this node itself has heard' : 'as others say')];
  if (watch) {
    reasons.push(`this node watches it: last beat ${ago(watch.last_beat)}, suspected after ` +
      `${span(watch.silence_limit_ms)} of silence; ${watch.beats_missed} of ` +
      `${watch.beats + watch.beats_missed} beats missed`);
    if (watch.accusers.length) {
      reasons.push(`accused by ${watch.accusers.join(', ')}` +
        (watch.verdict_due_ms === null ? '' : `; verdict in ${span(watch.verdict_due_ms)}`));
    }
    if (watch.frozen_until_ms !== null) {
      reasons.push('none of its relays answers: it is not suspected for another ' +
        span(watch.frozen_until_ms));
    }
  } else {
    reasons.push('others watch it; this node hears from them how it is');
  }
  for (const [name, link] of [['calls', calls], ['beats', beats]]) {
    if (!link) continue;
    reasons.push(link.up ? `connected for ${name} for ${span(link.since.age_ms)}`
      : `no connection for ${name}: ${link.trouble || 'not tried'}; ${link.failures} failures in a row`);
  }
  return reasons;
}
