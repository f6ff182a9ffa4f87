// Work that has ended, the newest first, and what waits for an operator because it failed too often.
import { html } from 'htm/preact';
import { useState } from 'preact/hooks';
import { select, showWork, usePick } from '../model/store.js';
import { plural, span } from '../model/format.js';
import { Card, Empty } from '../parts/card.js';
import { State } from './state.js';

const STATES = { '': 'however it ended', done: 'done', cancelled: 'cancelled', dead: 'dead letter' };

export function Ended() {
  const ended = usePick((state) => state.ended);
  const works = usePick((state) => state.works);
  const [state, setState] = useState('');
  // A dead letter has not ended for the queue: it may be retried. Its age is since it was added.
  const all = works.filter((one) => one.state === 'dead').concat(ended);
  const found = all.filter((one) => !state || one.state === state);
  const tools = html`<select aria-label="How it ended" value=${state}
    onChange=${(event) => setState(event.target.value)}>${Object.entries(STATES)
      .map(([key, text]) => html`<option key=${key} value=${key}>${text}</option>`)}</select>`;
  return html`<${Card} title="Ended" tools=${tools} class="wide" note=${plural(found.length, 'item')}>
    ${found.length === 0 ? html`<${Empty}>Nothing has ended so.<//>` : html`<div class="scroll">
    <table class="rows"><thead><tr><th>id</th><th>how</th><th>kind</th><th>node</th><th>since</th>
      <th>ran</th><th>failures</th></tr></thead>
    <tbody>${found.map((one) => html`<tr key=${one.id}>
      <th scope="row"><button class="link" onClick=${() => showWork(one.id)}>${one.id}</button></th>
      <td><${State} of=${one}/></td><td>${one.kind}</td>
      <td>${one.node && html`<button class="link" onClick=${() => select(one.node)}>${one.node}
        </button>`}</td>
      <td>${span(one.age_ms)}</td><td>${one.ran_ms ? span(one.ran_ms) : '–'}</td>
      <td>${one.failures + one.losses || '–'}</td></tr>`)}</tbody></table></div>`}<//>`;
}
