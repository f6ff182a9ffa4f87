// Which connections the picture draws: those through relays and those in trouble. Pure.
//
// A healthy mesh of a thousand has half a million connections, and drawing them says nothing.

// Each: {from, to, kind, via, text}; kind is 'home', 'attached', 'relayed' or 'bad'.
export function linesOf(self, members, links, relays) {
  const standing = new Map(members.map((member) => [member.id, member.standing]));
  const lines = [];
  for (const relay of relays) {
    for (const id of relay.attached) {
      const isHome = relay.homes.includes(id);
      lines.push({ from: relay.id, to: id, kind: isHome ? 'home' : 'attached',
        text: `${id} is reached through relay ${relay.id}` });
    }
  }
  for (const link of links) {
    const used = (link.paths || []).find((path) => path.in_use && path.relay);
    if (used) {
      lines.push({ from: self, to: link.peer, kind: 'relayed', via: used.relay,
        text: `${self} reaches ${link.peer} through relay ${used.relay}` });
    }
    const bad = troubleOf(link, standing.get(link.peer));
    if (bad) lines.push({ from: self, to: link.peer, kind: 'bad', text: `${self} – ${link.peer}: ${bad}` });
  }
  return lines;
}

// Why a connection to somebody who ought to be there does not work; empty: it does.
export function troubleOf(link, standing) {
  if (standing === 'left' || standing === undefined) return '';
  if (link.calls && !link.calls.up && link.calls.failures > 0) {
    return link.calls.trouble || 'no connection for calls';
  }
  if (link.beats && !link.beats.up && link.beats.failures > 0) {
    return link.beats.trouble || 'no connection for beats';
  }
  if (link.watch && link.watch.accusers.length > 0) return `suspected by ${link.watch.accusers.length}`;
  return '';
}
