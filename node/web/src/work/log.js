// What a job writes, as it writes it: asked for from where the last answer ended.
import { html } from 'htm/preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { get } from '../model/api.js';
import { Empty } from '../parts/card.js';
import { addPart, emptyLog } from './output.js';

const AGAIN_MS = 2000;
const ASKED_BYTES = 64 * 1024;

function useOutput(id, stream, isOver) {
  const [log, setLog] = useState(emptyLog());
  const kept = useRef({ of: '', log });
  useEffect(() => {
    let isOpen = true;
    let timer = 0;
    const of = `${id} ${stream}`; // its end alone begins nothing anew
    let known = kept.current.of === of ? kept.current.log : emptyLog();
    const ask = async () => {
      const from = known.next === null ? '' : `&offset=${known.next}`;
      let isEnd = isOver;
      try {
        const part = await get(`/jobs/${id}/output?stream=${stream}&bytes=${ASKED_BYTES}${from}`);
        known = addPart(known, part);
        isEnd = isOver && part.next >= part.end;
      } catch (error) {
        known = { ...known, trouble: error.message };
      }
      if (!isOpen) return;
      kept.current = { of, log: known };
      setLog(known);
      if (!isEnd) timer = setTimeout(ask, AGAIN_MS);
    };
    setLog(known);
    ask();
    return () => { isOpen = false; clearTimeout(timer); };
  }, [id, stream, isOver]);
  return log;
}

export function Log({ id, isOver }) {
  const [stream, setStream] = useState('stdout');
  const log = useOutput(id, stream, isOver);
  return html`<h3>Log <select aria-label="Stream" value=${stream}
      onChange=${(event) => setStream(event.target.value)}>
      <option value="stdout">output</option><option value="stderr">errors</option></select></h3>
    ${log.trouble && html`<p class="dim">${log.trouble}</p>`}
    ${log.missing > 0 && html`<p class="dim">${log.missing} bytes before this are kept no longer</p>`}
    ${log.text ? html`<pre class="log" tabindex="0" aria-label="Log">${log.text}</pre>`
    : !log.trouble && html`<${Empty}>nothing written yet<//>`}`;
}
