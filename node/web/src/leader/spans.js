// Who led when, read from the journal and from what is so now. Pure.

const MINUTES_15 = 15 * 60 * 1000;
// How the node's journal begins an entry about its leader; the subject is who is meant.
const LED = /^(leads|follows|settled)\b/;
const LEADERLESS = /^(campaigns|steps_down|removed|disk_failed)\b/;
const CUTS = new Set(['died', 'unreachable', 'suspected']);

// [{from, to, leader, term}], oldest first, times in ms; a span without leader has leader null.
export function spansOf(events, leadership, now) {
  const spans = [];
  const begin = (at, leader, term) => {
    const last = spans[spans.length - 1];
    if (last && last.leader === leader && last.term === term) return;
    if (last) last.to = Math.max(last.from, at);
    spans.push({ from: at, to: at, leader, term });
  };
  for (const event of events) {
    if (event.kind !== 'leader') continue;
    const at = Date.parse(event.when.at);
    const term = Number(/term (\d+)/.exec(event.text)?.[1] || 0);
    if (LED.test(event.text)) begin(at, event.subject || null, term);
    else if (LEADERLESS.test(event.text)) begin(at, null, term);
  }
  if (leadership) {
    const last = spans[spans.length - 1];
    if (leadership.leader && last?.leader !== leadership.leader) {
      begin(now - (leadership.since?.age_ms || 0), leadership.leader, leadership.term);
    } else if (!leadership.leader && last?.leader) {
      begin(now, null, leadership.term);
    }
  }
  if (spans.length) spans[spans.length - 1].to = now;
  return spans;
}

// Moments at which members were lost: where a partition shows.
export function cutsOf(events) {
  return events.filter((event) => CUTS.has(event.kind))
    .map((event) => ({ at: Date.parse(event.when.at), subject: event.subject, kind: event.kind }));
}

// What the picture spans: from the first span, at least a minute, at most 15.
export function windowOf(spans, now) {
  const first = spans.length ? spans[0].from : now;
  return { from: Math.max(now - MINUTES_15, Math.min(first, now - 60000)), to: now };
}
