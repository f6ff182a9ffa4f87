// All about one member: what it has, what it runs, how it is reached, and why it is thought alive.
import { html } from 'htm/preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { get } from '../model/api.js';
import { select, showWork, usePick } from '../model/store.js';
import { domainOf } from '../model/members.js';
import { clock, megabytes, span } from '../model/format.js';
import { reasonsOf } from '../model/reasons.js';
import { askFirst } from '../parts/dialog.js';
import { Drawer } from '../parts/drawer.js';
import { Empty, Facts, Standing } from '../parts/card.js';

const AGAIN_MS = 3000;

// Asks now and again while the drawer is open; what came last for another id is not shown.
function useAnswers(id, isAlive) {
  const [answers, setAnswers] = useState({});
  useEffect(() => {
    let isOpen = true;
    let timer = 0;
    const ask = async () => {
      const name = encodeURIComponent(id);
      const [shown, jobs, executor] = await Promise.allSettled([
        get(`/members/${name}`), get(`/work/list?state=leased&limit=200&node=${name}`),
        isAlive ? get(`/executor?node_id=${name}`) : null]);
      if (!isOpen) return;
      setAnswers({ id, shown: shown.value, trouble: shown.reason?.message, jobs: jobs.value?.works,
        executor: executor.value?.slots > 0 ? executor.value : null });
      timer = setTimeout(ask, AGAIN_MS);
    };
    ask();
    return () => { isOpen = false; clearTimeout(timer); };
  }, [id, isAlive]);
  return answers.id === id ? answers : {};
}

function Resources({ member }) {
  const { resources } = member;
  return html`<h3>Resources</h3><${Facts} of=${[
    ['processors', resources.cpus], ['memory', megabytes(resources.memory_mb)],
    ['disk free', megabytes(resources.disk_free_mb)],
    ['GPUs', resources.gpus ? `${resources.gpus} × ${resources.gpu_name || 'unnamed'}` : 'none'],
    ['GPU memory', resources.gpus ? megabytes(resources.gpu_memory_mb) : ''],
    ...Object.entries(member.tags || {})]}/>`;
}

function Jobs({ jobs, executor }) {
  return html`<h3>Work it has</h3>${executor && html`<p class="dim">
      ${executor.draining ? 'It takes no more work. ' : ''}${executor.jobs.length} of ${executor.slots}
      places are taken; load ${executor.load.toFixed(1)}.${executor.trouble}</p>`}${!jobs?.length ? html`<${Empty}>none<//>` : html`<table>
    <thead><tr><th>id</th><th>kind</th><th>runs for</th><th>done</th></tr></thead>
    <tbody>${jobs.map((job) => html`<tr key=${job.id}>
      <th scope="row"><button class="link" onClick=${() => showWork(job.id)}>${job.id}</button></th>
      <td>${job.kind}</td><td>${span(job.ran_ms)}</td><td>${job.percent}%</td></tr>`)}</tbody></table>`}`;
}

function Paths({ paths }) {
  if (!paths?.length) return html`<h3>Paths</h3><${Empty}>this node has no connection to it<//>`;
  return html`<h3>Paths</h3><div class="scroll"><table>
    <thead><tr><th>address</th><th>for</th><th>breaker</th><th>rtt</th><th>good / bad</th></tr></thead>
    <tbody>${paths.map((path) => html`<tr class=${path.in_use ? 'used' : ''}>
      <th scope="row">${path.host}:${path.for === 'beats' ? path.pub_port : path.call_port}
        <span class="tag">${path.relay ? `relay ${path.relay}` : path.kind}</span>
        ${path.in_use && html`<span class="tag voter">in use</span>`}</th>
      <td>${path.for}</td><td>${path.breaker}</td><td>${span(path.rtt_ms)}</td>
      <td>${path.successes} / ${path.failures}${path.last_error && html`<div class="dim">
        ${path.last_error}</div>`}</td></tr>`)}</tbody></table></div>`;
}

const History = ({ steps }) => html`<h3>History</h3><ol class="steps">
  ${[...steps].reverse().slice(0, 12).map((step) => html`<li>
    <time>${clock(step.when.at)}</time> <${Standing} is=${step.standing}/>
    ${step.evidence !== 'none' && html`<span class="dim">by ${step.evidence}
      ${step.accuser ? ` (${step.accuser})` : ''}</span>`}</li>`)}</ol>`;

function Actions({ member, leader, executor }) {
  const offers = usePick((state) => state.routes);
  const isVoter = (member.roles || []).includes('voter');
  const drain = () => askFirst({ title: `Drain ${member.id}`, verb: 'Drain', path: '/drain',
    body: { mode: 'drain', node_id: member.id }, isHarmful: true,
    text: 'It takes no more work; what runs there runs to its end.' });
  const resume = () => askFirst({ title: `Let ${member.id} take work again`, verb: 'Resume',
    path: '/drain', body: { mode: 'resume', node_id: member.id }, text: 'It will claim work again.' });
  const transfer = () => askFirst({ title: `Let ${member.id} lead`, verb: 'Transfer',
    path: '/leader/transfer', body: { id: member.id },
    text: `${leader || 'Nobody'} leads now. The queue pauses for a moment.` });
  return html`<div class="buttons">
    ${executor && offers?.has('/drain') && html`<button onClick=${executor.draining ? resume : drain}>
      ${executor.draining ? 'Resume' : 'Drain'} …</button>`}
    ${isVoter && member.standing === 'alive' && member.id !== leader &&
      html`<button onClick=${transfer}>Let it lead …</button>`}</div>`;
}

export function MemberDrawer({ id }) {
  const leader = usePick((state) => state.overview?.leadership?.leader);
  const isAlive = usePick((state) => state.members.some((one) => one.id === id
    && one.standing === 'alive'));
  const { shown, trouble, jobs, executor } = useAnswers(id, isAlive);
  const member = shown?.member;
  return html`<${Drawer} title=${id} onClose=${() => select(null)}>
    ${trouble && html`<p class="trouble">${trouble}</p>`}
    ${member && html`
      <p><${Standing} is=${member.standing}/> in ${domainOf(member)}
        ${member.id === leader && html` <span class="tag leader">leader</span>`}
        ${(member.roles || []).map((role) => html` <span class="tag ${role}">${role}</span>`)}</p>
      <${Actions} member=${member} leader=${leader} executor=${executor}/>
      <h3>Why</h3><ul class="why">${reasonsOf({ ...shown, member })
        .map((reason) => html`<li>${reason}</li>`)}</ul>
      <${Resources} member=${member}/>
      <${Jobs} jobs=${jobs} executor=${executor}/>
      <${Paths} paths=${shown.paths}/>
      <${History} steps=${shown.history}/>
      <h3>Identity</h3><${Facts} of=${[['software', member.software],
        ['incarnation', member.incarnation], ['instance', member.instance],
        ['beats every', span(member.interval_ms)],
        ['addresses', member.addresses.map((each) => `${each.host}:${each.call_port}`).join(', ')],
        ['key', shown.roster?.entry?.key], ['key expires', shown.roster?.entry?.expires_at]]}/>`}
  <//>`;
}
