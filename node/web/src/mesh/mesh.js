// The picture of the mesh, and the same as a table.
import { html } from 'htm/preact';
import { useMemo, useRef, useState } from 'preact/hooks';
import { announce, select, usePick } from '../model/store.js';
import { describe, summarise, beatAge, rtt } from '../model/members.js';
import { span } from '../model/format.js';
import { Canvas, colours } from '../parts/canvas.js';
import { Card } from '../parts/card.js';
import { layOut, nearest, neighbour } from './layout.js';
import { linesOf } from './lines.js';
import { paintMesh, scaleOf } from './paint.js';

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

// The plan is made anew only when somebody comes, goes, or changes roles or domain.
function usePlan(members, relays) {
  const key = members.map((m) => `${m.id}|${m.failure_domain}|${m.roles}`).join() +
    relays.map((relay) => relay.id).join();
  return useMemo(() => layOut(members, relays.map((relay) => relay.id)), [key]);
}

const LEGEND = [['alive', 'alive'], ['suspect', 'suspect'], ['unreachable', 'unreachable'],
  ['dead', 'dead'], ['left', 'left'], ['voter', 'voter'], ['leader', 'leader'],
  ['relay', 'relay'], ['bad', 'broken link'], ['self', 'this node']];

const Legend = () => html`<ul class="legend" aria-label="Signs">
  ${LEGEND.map(([name, text]) => html`<li key=${name}><i class="sign ${name}"></i>${text}</li>`)}
</ul>`;

function Hint({ member, at, lines, leader }) {
  const own = lines.filter((line) => line.from === member.id || line.to === member.id).slice(0, 4);
  return html`<div class="hint" style=${{ left: `${at.x}px`, top: `${at.y}px` }}>
    <b>${member.id}</b> ${member.id === leader ? '· leader ' : ''}· ${member.standing}
    <div>beat ${span(beatAge(member))} ago · rtt ${span(rtt(member))}</div>
    ${own.map((line) => html`<div class=${line.kind}>${line.text}</div>`)}
  </div>`;
}

function Picture({ members, plan, lines, leader, selected }) {
  const [focus, setFocus] = useState(null);
  const [hint, setHint] = useState(null);
  const size = useRef({ width: 1, height: 1 });
  const paint = (ctx, found) => {
    size.current = found;
    paintMesh(ctx, found, plan, members, lines, colours(), { leader, focus: focus || selected });
  };
  const under = (event) => {
    const at = scaleOf(size.current.width, size.current.height);
    const x = (event.offsetX - at.x) / at.radius;
    const y = (event.offsetY - at.y) / at.radius;
    return nearest(plan.places, x, y, Math.max(plan.spacing * 0.7, 14 / at.radius));
  };
  const show = (id) => {
    setFocus(id);
    const place = id && plan.places.get(id);
    const at = scaleOf(size.current.width, size.current.height);
    setHint(place ? { x: at.x + place.x * at.radius, y: at.y + place.y * at.radius } : null);
  };
  const member = focus && members.find((each) => each.id === focus);
  const onKeyDown = (event) => {
    const arrow = ARROWS[event.key];
    if (arrow) {
      event.preventDefault();
      const next = neighbour(plan.places, focus || leader || members[0]?.id, ...arrow);
      show(next);
      const found = members.find((each) => each.id === next);
      if (found) announce(describe(found, leader));
    } else if (event.key === 'Enter' && member) {
      select(focus);
    }
  };
  const { counts } = summarise(members);
  const label = `Mesh of ${members.length} members in ${plan.sectors.length} failure domains: ` +
    Object.entries(counts).filter(([, n]) => n).map(([name, n]) => `${n} ${name}`).join(', ') +
    `. Leader ${leader || 'nobody'}. Arrow keys go from member to member, Enter opens one.`;
  return html`<div class="mesh">
    <${Canvas} paint=${paint} height=${(width) => Math.max(300, Math.min(width, 560))}
      label=${label} tabindex="0" onKeyDown=${onKeyDown} onBlur=${() => show(null)}
      onMouseMove=${(event) => { const id = under(event); if (id !== focus) show(id); }}
      onMouseLeave=${() => show(null)}
      onClick=${(event) => { const id = under(event); if (id) select(id); }}/>
    ${member && hint && html`<${Hint} member=${member} at=${hint} lines=${lines} leader=${leader}/>`}
    <${Legend}/>
  </div>`;
}

function Table({ plan, members, lines, leader }) {
  const rows = plan.sectors.map((sector) => {
    const inside = members.filter((each) => (each.failure_domain || 'no domain') === sector.name);
    return { name: sector.name, ...summarise(inside).counts,
      leads: inside.some((each) => each.id === leader) };
  });
  return html`<div class="scroll"><table>
    <caption>Failure domains</caption>
    <thead><tr><th>domain</th><th>alive</th><th>suspect</th><th>unreachable</th><th>dead</th>
      <th>left</th><th>leader</th></tr></thead>
    <tbody>${rows.map((row) => html`<tr key=${row.name}><th scope="row">${row.name}</th>
      <td>${row.alive}</td><td>${row.suspect}</td><td>${row.unreachable}</td><td>${row.dead}</td>
      <td>${row.left}</td><td>${row.leads ? leader : ''}</td></tr>`)}</tbody></table>
    <table><caption>Connections through relays, and those in trouble</caption>
    <thead><tr><th>kind</th><th>what</th></tr></thead>
    <tbody>${lines.map((line) => html`<tr><td>${line.kind}</td><td>${line.text}</td></tr>`)}
      ${lines.length === 0 && html`<tr><td colspan="2">none</td></tr>`}</tbody></table></div>`;
}

export function Mesh() {
  const members = usePick((state) => state.members);
  const links = usePick((state) => state.links);
  const relays = usePick((state) => state.relays);
  const leader = usePick((state) => state.overview?.leadership?.leader);
  const self = usePick((state) => state.overview?.node);
  const selected = usePick((state) => state.selected);
  const plan = usePlan(members, relays);
  const lines = linesOf(self, members, links, relays);
  const shared = { members, plan, lines, leader, selected };
  return html`<${Card} title="Mesh" note="as ${self} sees it" class="wide-2"
    picture=${html`<${Picture} ...${shared}/>`} table=${html`<${Table} ...${shared}/>`}/>`;
}
