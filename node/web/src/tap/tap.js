// The bus itself: messages as they pass by this node, those that the filter lets through.
import { html } from 'htm/preact';
import { useEffect, useReducer, useRef, useState } from 'preact/hooks';
import { Refused, openStream } from '../model/api.js';
import { usePick } from '../model/store.js';
import { count } from '../model/format.js';
import { askToken } from '../parts/dialog.js';
import { Card, Empty, Facts } from '../parts/card.js';
import { addEvents, createReader, detailsOf, emptyTap } from './stream.js';

const SHOWN = 200;
const EXAMPLES = ['kind=gossip', 'not (kind=beat or kind=ping)', 'size>1k', 'standing=suspect'];

const time = (frame) => new Date(frame.wall_ms).toISOString().slice(11, 23);

// Reads until it is told to stop; what comes is drawn as it comes, four times a second at most.
async function follow(path, signal, take) {
  const body = await openStream(path, signal);
  take({ isOpen: true });
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  const read = createReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new Error('the node has ended the stream');
    take({ events: read(value) });
  }
}

// One tap while this view is open and `wanted` is not null; closing the view ends it.
function useTap(wanted, hasToken) {
  const tap = useRef(emptyTap());
  const [state, setState] = useState({ isOpen: false, error: null });
  const [, again] = useReducer((n) => n + 1, 0);
  useEffect(() => {
    if (!wanted) return undefined;
    const abort = new AbortController();
    tap.current = emptyTap();
    setState({ isOpen: false, error: null });
    const query = new URLSearchParams({ filter: wanted.filter });
    if (wanted.payloads) query.set('payloads', '1');
    follow(`/tap?${query}`, abort.signal, ({ isOpen, events }) => {
      if (isOpen) setState({ isOpen: true, error: null });
      if (!events?.length) return;
      tap.current = addEvents(tap.current, events);
      again();
    }).catch((error) => {
      if (abort.signal.aborted) return;
      setState({ isOpen: false, error });
      if (error instanceof Refused && error.status === 401) askToken();
    });
    return () => abort.abort();
  }, [wanted, hasToken]);
  return { ...state, tap: tap.current };
}

const toOf = (frame) => frame.to || '*';

const Gap = ({ lost }) => html`${count(lost)} more were dropped here: this page read too slowly`;

function Lines({ frames, selected, pick }) {
  return html`<ol class="feed taps" tabindex="0" aria-label="Messages, the newest first">
    ${frames.map((one) => (one.lost ? html`<li key=${one.number} class="bad"><${Gap} lost=${one.lost}/></li>`
    : html`<li key=${one.number} class=${one.dir === 'in' ? 'good' : 'accent'}>
      <time>${time(one)}</time><button class="link" aria-expanded=${selected === one.number}
        onClick=${() => pick(one.number)}>${one.kind}</button>
      <span class="what">${one.from} ▸ ${toOf(one)} <span class="dim">${one.bytes} B
        ${one.summary}</span></span></li>`))}</ol>`;
}

function Rows({ frames, pick }) {
  return html`<div class="scroll"><table class="rows"><thead><tr><th>time (UTC)</th><th>way</th>
    <th>kind</th><th>from</th><th>to</th><th>bytes</th><th>says</th></tr></thead>
    <tbody>${frames.map((one) => (one.lost
    ? html`<tr key=${one.number}><td colspan="7"><${Gap} lost=${one.lost}/></td></tr>`
    : html`<tr key=${one.number}><td>${time(one)}</td><td>${one.dir} ${one.channel}</td>
      <th scope="row"><button class="link" onClick=${() => pick(one.number)}>${one.kind}</button></th>
      <td>${one.from}</td><td>${toOf(one)}</td><td>${one.bytes}</td><td>${one.summary}</td></tr>`))}
    </tbody></table></div>`;
}

const Details = ({ frame, close }) => html`<${Card} title="Message" note=${frame.kind}
  tools=${html`<button class="quiet" onClick=${close}>Close</button>`}>
  <${Facts} of=${detailsOf(frame)}/>
  ${frame.summary && html`<h3>Says</h3><pre tabindex="0">${frame.summary}</pre>`}
  ${frame.payload && html`<h3>As it is on the wire</h3><pre tabindex="0">${frame.payload}</pre>`}<//>`;

// The error's column is shown where it is, under what was typed.
const Wrong = ({ error }) => html`<p class="trouble" role="alert">${error.message}
  ${error.where && html` <span class="dim">(${error.where})</span>`}
  ${error.next && html` – ${error.next}`}</p>`;

export function Tap() {
  const hasToken = usePick((state) => state.token);
  const [text, setText] = useState('');
  const [payloads, setPayloads] = useState(false);
  const [wanted, setWanted] = useState(null);
  const [frozen, setFrozen] = useState(null);
  const [picked, setPicked] = useState(null);
  const { tap, isOpen, error } = useTap(wanted, hasToken);
  const shown = frozen || tap;
  const frames = shown.frames.slice(-SHOWN).reverse();
  const begin = (event) => {
    event.preventDefault();
    setFrozen(null);
    setPicked(null);
    setWanted({ filter: text.trim(), payloads });
  };
  const frame = picked && !picked.lost ? picked : null;
  const pick = (number) => setPicked(shown.frames.find((one) => one.number === number));
  const tools = html`${isOpen && html`<button aria-pressed=${frozen !== null}
      onClick=${() => setFrozen(frozen ? null : tap)}>
      ${frozen ? `Go on (${count(tap.seen - frozen.seen)} waiting)` : 'Pause'}</button>
    <button onClick=${() => setWanted(null)}>Stop</button>`}`;
  const isWatched = wanted !== null && isOpen;
  const note = isWatched ? `${count(tap.seen)} seen, ${count(tap.dropped)} dropped` : 'not watching';
  return html`<div class="stack"><form class="ask" onSubmit=${begin}>
      <label>Filter <input type="search" name="filter" value=${text} list="filters" spellcheck=${false}
        placeholder="everything" onInput=${(event) => setText(event.target.value)}
        autocomplete="off" aria-invalid=${error?.code === 'BAD_FILTER'}/></label>
      <datalist id="filters">${EXAMPLES.map((each) => html`<option key=${each} value=${each}/>`)}
      </datalist>
      <label class="check"><input type="checkbox" checked=${payloads}
        onChange=${(event) => setPayloads(event.target.checked)}/> payloads</label>
      <button class="main" type="submit">Watch</button></form>
    ${error && wanted && html`<${Wrong} error=${error}/>`}
    ${tap.trouble && html`<p class="trouble" role="alert">${tap.trouble}</p>`}
    ${frame && html`<${Details} frame=${frame} close=${() => setPicked(null)}/>`}
    <${Card} title="Tap" note=${note} tools=${tools} class="wide events tall"
      picture=${frames.length ? html`<${Lines} frames=${frames} selected=${frame?.number} pick=${pick}/>`
    : html`<${Empty}>${isWatched ? 'Nothing has passed by yet.' : `What passes by this node on the bus,
        as riftbus tap shows it. It takes the token; nothing is looked at until you press Watch.`}<//>`}
      table=${html`<${Rows} frames=${frames} pick=${pick}/>`}/></div>`;
}
