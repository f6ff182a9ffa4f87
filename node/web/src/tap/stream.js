// Server-sent events out of pieces of text, and which of them are kept. Pure.

export const FRAMES_KEPT = 1000;

// Reads what fetch() brings, which knows no EventSource: that cannot send a token.
export function createReader() {
  let rest = '';
  return (text) => {
    const events = [];
    const parts = (rest + text).split('\n\n');
    rest = parts.pop();
    for (const part of parts) {
      const found = { event: 'message', data: '' };
      for (const line of part.split('\n')) {
        const colon = line.indexOf(': ');
        if (colon > 0) found[line.slice(0, colon)] = line.slice(colon + 2);
      }
      if (found.data) events.push({ event: found.event, data: JSON.parse(found.data) });
    }
    return events;
  };
}

export const emptyTap = () => ({ frames: [], seen: 0, dropped: 0, trouble: '' });

// `tap` after these events; a gap stands among the messages where it was.
export function addEvents(tap, events) {
  const next = { ...tap, frames: tap.frames };
  const fresh = [];
  for (const { event, data } of events) {
    const number = next.seen + fresh.length;
    if (event === 'message') fresh.push({ ...data, number });
    if (event === 'dropped') {
      next.dropped += data.dropped;
      fresh.push({ lost: data.dropped, number });
    }
    if (event === 'trouble') next.trouble = data.error;
  }
  if (fresh.length) next.frames = tap.frames.concat(fresh).slice(-FRAMES_KEPT);
  next.seen += fresh.length;
  return next;
}

// What a message is worth saying, beside its row.
export function detailsOf(frame) {
  return [['when', new Date(frame.wall_ms).toISOString()], ['seen by', frame.node],
    ['direction', frame.dir], ['channel', frame.channel], ['kind', frame.kind], ['from', frame.from],
    ['to', frame.to || 'everyone'], ['connection to', frame.peer], ['sequence', frame.seq],
    ['correlation', frame.corr || 'none: one-way'], ['bytes', frame.bytes]];
}
