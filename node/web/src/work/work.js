// The queue's items, and one of them with its attempts and what they wrote.
import { html } from 'htm/preact';
import { useEffect, useState } from 'preact/hooks';
import { get } from '../model/api.js';
import { select, showWork, usePick } from '../model/store.js';
import { count, span } from '../model/format.js';
import { askFirst } from '../parts/dialog.js';
import { Drawer } from '../parts/drawer.js';
import { Card, Empty, Facts } from '../parts/card.js';
import { Log } from './log.js';
import { isOver, State, WORDS } from './state.js';

const STATES = ['', 'ready', 'leased', 'delayed', 'dead'];

const cancelFirst = (id) => askFirst({ title: `Cancel work ${id}`, verb: 'Cancel it', isHarmful: true,
  path: '/work/cancel', body: { work_id: String(id) },
  text: 'If it runs, it is told to end; its result is thrown away.' });
const retryFirst = (id) => askFirst({ title: `Retry work ${id}`, verb: 'Retry', path: '/work/retry',
  body: { work_id: String(id) }, text: 'It goes back into the queue, its failures forgotten.' });

function Buttons({ one }) {
  const offers = usePick((state) => state.routes);
  return html`<span class="buttons">
    ${one.state === 'dead' && offers?.has('/work/retry') &&
      html`<button onClick=${() => retryFirst(one.id)}>Retry …</button>`}
    ${!isOver(one) && html`<button onClick=${() => cancelFirst(one.id)}>Cancel …</button>`}</span>`;
}

export function Work() {
  const works = usePick((state) => state.works);
  const stats = usePick((state) => state.stats);
  const [state, setState] = useState('');
  const [kind, setKind] = useState('');
  const found = works.filter((one) => (!state || one.state === state) && (!kind || one.kind === kind));
  const kinds = [...new Set(works.map((one) => one.kind))].sort();
  const tools = html`<select aria-label="State" value=${state}
      onChange=${(event) => setState(event.target.value)}>${STATES.map((each) => html`
      <option key=${each} value=${each}>${each ? WORDS[each] : 'any state'}</option>`)}</select>
    <select aria-label="Kind" value=${kind} onChange=${(event) => setKind(event.target.value)}>
      <option value="">any kind</option>${kinds.map((each) => html`<option key=${each}>${each}</option>`)}
    </select>`;
  const total = stats ? Object.entries(stats.items).filter(([name]) => name !== 'finished')
    .reduce((sum, [, n]) => sum + n, 0) : works.length;
  return html`<${Card} title="Work" tools=${tools} class="wide"
    note=${`${count(found.length)} shown of ${count(total)} unfinished`}>
    ${found.length === 0 ? html`<${Empty}>No work of that sort. <code>riftbus work add</code> or
      <code>POST /work/add</code> brings some.<//>` : html`<div class="scroll"><table class="rows">
    <thead><tr><th>id</th><th>state</th><th>kind</th><th>node</th><th>age</th><th>ran</th>
      <th>done</th><th>failures</th><th></th></tr></thead>
    <tbody>${found.slice(0, 200).map((one) => html`<tr key=${one.id}>
      <th scope="row"><button class="link" onClick=${() => showWork(one.id)}>${one.id}</button></th>
      <td><${State} of=${one}/></td><td>${one.kind}</td>
      <td>${one.node && html`<button class="link" onClick=${() => select(one.node)}>${one.node}
        </button>`}</td>
      <td>${span(one.age_ms)}</td><td>${one.ran_ms ? span(one.ran_ms) : '–'}</td>
      <td>${one.state === 'leased' ? html`<progress max="100" value=${one.percent}
        aria-label="done">${one.percent}%</progress>` : '–'}</td>
      <td>${one.failures + one.losses || '–'}</td><td><${Buttons} one=${one}/></td></tr>`)}
    </tbody></table></div>`}<//>`;
}

function useItem(id) {
  const [answers, setAnswers] = useState({});
  useEffect(() => {
    let isOpen = true;
    let timer = 0;
    const ask = async () => {
      const [shown, why] = await Promise.allSettled([get(`/work/show/${id}`), get(`/work/why/${id}`)]);
      if (!isOpen) return;
      setAnswers({ id, work: shown.value?.work, trouble: shown.reason?.message, why: why.value });
      timer = setTimeout(ask, 2000);
    };
    ask();
    return () => { isOpen = false; clearTimeout(timer); };
  }, [id]);
  return answers.id === id ? answers : {};
}

const text = (value) => (typeof value === 'string' ? value : JSON.stringify(value, null, 2));

function Attempt({ one, number }) {
  const code = one.signal ? `signal ${one.signal}` : `exit status ${one.exit_code}`;
  return html`<li><b>${number}. ${one.ending}</b> on ${one.node}, after ${span(one.ran_ms)}
    <span class="dim"> · ${code}</span>
    ${one.tail && html`<pre tabindex="0" aria-label="End of its log">${one.tail}</pre>`}</li>`;
}

// A worker that came over HTTP keeps its output to itself.
const keepsLog = ({ node, attempts }) => {
  const where = node || attempts.at(-1)?.node;
  return Boolean(where) && !where.endsWith('.http');
};

export function WorkDrawer({ id }) {
  const { work, why, trouble } = useItem(id);
  return html`<${Drawer} title=${`Work ${id}`} onClose=${() => showWork(null)}>
    ${trouble && html`<p class="trouble">${trouble}</p>`}
    ${work && html`<p><${State} of=${work}/> · ${work.kind}</p><${Buttons} one=${work}/>
      <${Facts} of=${[['node', work.node], ['group', work.group], ['priority', work.priority],
        ['age', span(work.age_ms)], ['ran', work.ran_ms ? span(work.ran_ms) : ''],
        ['done', work.state === 'leased' ? `${work.percent}%` : ''],
        ['failures', work.failures || ''], ['lost with a node', work.losses || ''],
        ['checkpoint', work.checkpoint_bytes ? `${work.checkpoint_bytes} bytes` : '']]}/>
      ${(!isOver(work) || work.cause) && why?.reasons?.length > 0 && html`<h3>Why</h3><ul class="why">
        ${why.reasons.map((reason) => html`<li>${reason}</li>`)}</ul>`}
      ${keepsLog(work) && html`<${Log} id=${id}
        isOver=${work.state !== 'leased'}/>`}
      <h3>Attempts</h3>${work.attempts.length === 0 ? html`<${Empty}>none has ended<//>` : html`
        <ol class="attempts">${work.attempts.map((one, i) => html`<${Attempt} one=${one}
        number=${i + 1}/>`)}</ol>`}
      ${work.result !== null && work.result !== '' && html`<h3>Result</h3><pre tabindex="0">
        ${text(work.result)}</pre>`}
      ${work.payload?.text && html`<h3>Payload</h3><pre tabindex="0">${work.payload.text}</pre>`}`}
  <//>`;
}
