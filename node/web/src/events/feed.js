// What happened, as this node wrote it down; the newest first.
import { html } from 'htm/preact';
import { useState } from 'preact/hooks';
import { select, usePick } from '../model/store.js';
import { clock, plural } from '../model/format.js';
import { Card, Empty } from '../parts/card.js';

const TONES = { died: 'bad', unreachable: 'bad', disk: 'bad', conflict: 'bad', refused: 'bad',
  expired: 'bad', suspected: 'warn', link_fault: 'warn', paused: 'warn', accused_self: 'warn',
  left: 'warn', tunnel: 'warn', detached: 'warn', joined: 'good', returned: 'good', refuted: 'good',
  attached: 'good', leader: 'accent' };

// What is said of the subject, whose name stands before it.
function wordsOf({ kind, subject, text }) {
  if (text.startsWith(`${subject} `)) return text.slice(subject.length + 1);
  return kind === 'leader' ? text.replace(/^follows\b/, 'is followed') : text;
}

const Line = ({ event, isMember }) => html`<li class=${TONES[event.kind] || ''}>
  <time datetime=${event.when.at}>${clock(event.when.at)}</time>
  <span class="kind">${event.kind}</span>
  <span class="what">${isMember
    ? html`<button class="link" onClick=${() => select(event.subject)}>${event.subject}</button> ` : ''}
    ${wordsOf(event)}</span></li>`;

export function Events({ most = 40, class: extra = '' }) {
  const events = usePick((state) => state.events);
  const members = usePick((state) => state.members);
  const [filter, setFilter] = useState('');
  const ids = new Set(members.map((member) => member.id));
  const words = filter.toLowerCase();
  const found = events.filter((event) =>
    `${event.kind} ${event.subject} ${event.text}`.toLowerCase().includes(words));
  const shown = found.slice(-most).reverse();
  const tools = html`<input type="search" placeholder="filter" value=${filter}
    aria-label="Filter events" onInput=${(event) => setFilter(event.target.value)}/>`;
  return html`<${Card} title="Events" note=${plural(found.length, 'event')}
    tools=${tools} class="events ${extra}">
    ${shown.length === 0 ? html`<${Empty}>Nothing yet.<//>`
    : html`<ol class="feed" tabindex="0" aria-label="Events, the newest first">
      ${shown.map((event) => html`<${Line} key=${event.seq} event=${event}
        isMember=${ids.has(event.subject)}/>`)}</ol>`}<//>`;
}
