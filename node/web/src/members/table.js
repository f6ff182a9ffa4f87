// Every member, filtered, sorted, a page at a time: a thousand rows at once would be slow to read
// for a machine and for people.
import { html } from 'htm/preact';
import { useState } from 'preact/hooks';
import { select, usePick } from '../model/store.js';
import { beatAge, domainOf, isVoter, isRelay, matches, rtt, sorted } from '../model/members.js';
import { megabytes, plural, span } from '../model/format.js';
import { Card, Standing } from '../parts/card.js';

const COLUMNS = [['id', 'member'], ['standing', 'standing'], ['domain', 'domain'],
  ['beat', 'last beat'], ['rtt', 'round trip'], ['gpus', 'resources']];

function Head({ order, setOrder }) {
  const turn = (key) => setOrder({ key, isDown: order.key === key && !order.isDown });
  return html`<thead><tr>${COLUMNS.map(([key, text]) => html`<th key=${key}
    aria-sort=${order.key === key ? (order.isDown ? 'descending' : 'ascending') : 'none'}>
    <button class="sort" onClick=${() => turn(key)}>${text}
    ${order.key === key ? (order.isDown ? ' ↓' : ' ↑') : ''}</button></th>`)}<th>roles</th></tr></thead>`;
}

export function resourcesOf({ resources }) {
  if (!resources || !resources.cpus) return '–';
  const gpus = resources.gpus ? ` · ${resources.gpus}× ${resources.gpu_name || 'GPU'}` : '';
  return `${resources.cpus} cpu · ${megabytes(resources.memory_mb)}${gpus}`;
}

function Row({ member, leader, isSelected }) {
  const open = () => select(member.id);
  return html`<tr class=${isSelected ? 'selected' : ''} onClick=${open}>
    <th scope="row"><button class="link" onClick=${open}>${member.id}</button>
      ${member.self && html`<span class="tag">this node</span>`}</th>
    <td><${Standing} is=${member.standing}/> <span class="dim">${span(member.since?.age_ms)}</span></td>
    <td>${domainOf(member)}</td>
    <td>${member.self ? '–' : span(beatAge(member))}</td>
    <td>${span(rtt(member))}</td>
    <td>${resourcesOf(member)}</td>
    <td>${member.id === leader && html`<span class="tag leader">leader</span>`}
      ${isVoter(member) && html`<span class="tag voter">voter</span>`}
      ${isRelay(member) && html`<span class="tag relay">relay</span>`}</td></tr>`;
}

export function Members({ perPage = 50 }) {
  const members = usePick((state) => state.members);
  const leader = usePick((state) => state.overview?.leadership?.leader);
  const selected = usePick((state) => state.selected);
  const [filter, setFilter] = useState('');
  const [order, setOrder] = useState({ key: 'standing', isDown: false });
  const [page, setPage] = useState(0);
  const found = sorted(members.filter((each) => matches(each, filter, leader)), order.key, order.isDown);
  const pages = Math.max(1, Math.ceil(found.length / perPage));
  const at = Math.min(page, pages - 1);
  const tools = html`<input type="search" placeholder="filter: dead hetzner voter …" value=${filter}
    aria-label="Filter members" onInput=${(event) => { setFilter(event.target.value); setPage(0); }}/>`;
  return html`<${Card} title="Members" note=${plural(found.length, 'member')} tools=${tools} class="wide">
    <div class="scroll"><table class="rows"><${Head} order=${order} setOrder=${setOrder}/>
      <tbody>${found.slice(at * perPage, (at + 1) * perPage).map((member) => html`<${Row}
        key=${member.id} member=${member} leader=${leader} isSelected=${member.id === selected}/>`)}
      </tbody></table></div>
    ${pages > 1 && html`<nav class="pager" aria-label="Pages of members">
      <button disabled=${at === 0} onClick=${() => setPage(at - 1)}>Before</button>
      <span>page ${at + 1} of ${pages}</span>
      <button disabled=${at === pages - 1} onClick=${() => setPage(at + 1)}>Next</button></nav>`}
  <//>`;
}
