// The cluster in a row of numbers, and what is wrong with it in sentences.
import { html } from 'htm/preact';
import { useMemo } from 'preact/hooks';
import { select, usePick } from '../model/store.js';
import { summarise } from '../model/members.js';
import { count, span } from '../model/format.js';

const Tile = ({ name, value, note, tone = '' }) => html`<div class="tile ${tone}">
  <dt>${name}</dt><dd><b>${value}</b><span>${note}</span></dd></div>`;

export function Tiles() {
  const overview = usePick((state) => state.overview);
  const members = usePick((state) => state.members);
  const stats = usePick((state) => state.stats);
  const sums = useMemo(() => summarise(members), [members]);
  const { leadership, voters, relays } = overview;
  const away = ['suspect', 'unreachable', 'dead'].filter((name) => sums.counts[name])
    .map((name) => `${sums.counts[name]} ${name}`).join(', ');
  const items = stats?.items;
  const majority = Math.floor(voters.total / 2) + 1;
  return html`<dl class="tiles">
    <${Tile} name="Members" value=${count(sums.counts.alive)} tone=${away ? 'warn' : 'good'}
      note=${away || `all of ${count(members.length)} alive`}/>
    <${Tile} name="Leader" value=${leadership?.leader || 'nobody'} tone=${leadership?.leader ? '' : 'bad'}
      note=${leadership ? `term ${leadership.term}, for ${span(leadership.since?.age_ms)}` : ''}/>
    <${Tile} name="Voters" value=${`${voters.alive}/${voters.total}`}
      tone=${voters.alive < majority ? 'bad' : voters.alive < voters.total ? 'warn' : ''}
      note=${voters.alive < majority ? 'no majority' : `may lose ${voters.alive - majority} more`}/>
    ${items && html`<${Tile} name="Queue" value=${count(items.ready + items.delayed)}
      tone=${items.dead ? 'warn' : ''}
      note=${`${count(items.leased)} running${items.dead ? `, ${items.dead} dead` : ''}`}/>`}
    <${Tile} name="Round trip" value=${span(sums.rtt_ms)} note=${`slowest ${span(sums.rttMax)}`}/>
    ${relays.total > 0 && html`<${Tile} name="Relays" value=${`${relays.alive}/${relays.total}`}
      tone=${relays.alive < relays.total ? 'warn' : ''} note="alive"/>`}
    <${Tile} name="Machines" value=${`${count(sums.cpus)} cpu`} note=${sums.gpus
      ? `${count(sums.gpus)} GPUs` : 'no GPU'}/>
    ${overview.jobs && html`<${Tile} name="This node runs"
      value=${`${overview.jobs.running}/${overview.jobs.slots}`}
      tone=${overview.jobs.draining ? 'warn' : ''} note=${overview.jobs.draining ? 'draining' : 'jobs'}/>`}
  </dl>`;
}

export function Problems() {
  const problems = usePick((state) => state.overview?.problems);
  const notes = usePick((state) => state.overview?.notes);
  const members = usePick((state) => state.members);
  if (!problems?.length && !notes?.length) return null;
  const ids = new Set(members.map((member) => member.id));
  const line = (tone) => (each) => html`<li class=${tone} key=${each.code + each.subject}>
    ${ids.has(each.subject)
    ? html`<button class="link" onClick=${() => select(each.subject)}>${each.what}</button>` : each.what}
    <span class="dim" title="riftbus explain ${each.code}">F-${each.code}</span></li>`;
  return html`<ul class="problems" aria-label="What is wrong">
    ${problems.slice(0, 8).map(line('bad'))}
    ${problems.length > 8 && html`<li class="bad">and ${problems.length - 8} more</li>`}
    ${problems.length === 0 && (notes || []).slice(0, 3).map(line('note'))}</ul>`;
}
