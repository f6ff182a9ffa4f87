// Heat map: members that this node watches, over the last ten minutes.
import { html } from 'htm/preact';
import { useState } from 'preact/hooks';
import { usePick, select } from '../model/store.js';
import { span } from '../model/format.js';
import { Canvas, colours } from '../parts/canvas.js';
import { Card, Empty } from '../parts/card.js';
import { heatOf, rowsOf } from './history.js';

const ROW = 17;
const ROWS_MAX = 24;
const NAMES = 92; // pixels for the names
const COLUMNS_MIN = 40; // narrower cells from there on
const WORDS = { beat: 'Heartbeat age', rtt: 'Round trip' };

function heatColour(heat, paint) {
  if (heat < 0.5) return `color-mix(in oklab, ${paint.cool} ${100 - heat * 200}%, ${paint.warm})`;
  return `color-mix(in oklab, ${paint.warm} ${200 - heat * 200}%, ${paint.hot})`;
}

function paintHeat(ctx, size, history, rows, what) {
  const paint = colours();
  // Sixteen steps are as many as an eye tells apart, and mixing colours is slow.
  const steps = Array.from({ length: 17 }, (_, i) => heatColour(i / 16, paint));
  const shown = Math.max(COLUMNS_MIN, history.columns.length);
  const cell = (size.width - NAMES) / shown;
  ctx.clearRect(0, 0, size.width, size.height);
  ctx.font = `11px ${paint.font}`;
  ctx.textBaseline = 'middle';
  rows.forEach((id, row) => {
    ctx.fillStyle = paint.dim;
    ctx.fillText(id.length > 14 ? `${id.slice(0, 13)}…` : id, 0, row * ROW + ROW / 2);
    ctx.fillStyle = paint.sector;
    ctx.fillRect(NAMES, row * ROW + 1, size.width - NAMES, ROW - 2);
  });
  const first = shown - history.columns.length;
  history.columns.forEach((column, i) => {
    rows.forEach((id, row) => {
      const heat = heatOf(column.values.get(id), what);
      if (heat === null) return;
      ctx.fillStyle = steps[Math.round(heat * 16)];
      ctx.fillRect(NAMES + (first + i) * cell, row * ROW + 1, cell + 0.6, ROW - 2);
    });
  });
}

const Table = ({ history, rows }) => {
  const last = history.columns[history.columns.length - 1].values;
  return html`<div class="scroll"><table>
    <thead><tr><th>member</th><th>last beat</th><th>suspected after</th><th>round trip</th></tr></thead>
    <tbody>${rows.map((id) => html`<tr key=${id}><th scope="row">${id}</th>
      <td>${span(last.get(id)?.beat)} ago</td><td>${span(last.get(id)?.limit)}</td>
      <td>${span(last.get(id)?.rtt)}</td></tr>`)}</tbody></table></div>`;
};

export function Heat() {
  const history = usePick((state) => state.heat);
  const [what, setWhat] = useState('beat');
  if (!history) return null;
  const rows = rowsOf(history, what);
  const shown = rows.slice(0, ROWS_MAX);
  const tools = Object.entries(WORDS).map(([key, text]) => html`<button key=${key} class="quiet"
    aria-pressed=${what === key} onClick=${() => setWhat(key)}>${text}</button>`);
  const note = rows.length > ROWS_MAX ? `the worst ${ROWS_MAX} of ${rows.length} watched`
    : 'up to 10 minutes';
  if (rows.length === 0) {
    return html`<${Card} title="Heat" note=${note}><${Empty}>This node watches nobody.<//><//>`;
  }
  const open = (event) => {
    const id = shown[Math.floor(event.offsetY / ROW)];
    if (id) select(id);
  };
  return html`<${Card} title="Heat" note=${note} tools=${tools}
    table=${html`<${Table} history=${history} rows=${rows}/>`}
    picture=${html`<${Canvas} height=${shown.length * ROW + 4} onClick=${open}
      label=${`${WORDS[what]} of ${rows.length} watched members, the worst: ${rows[0]}`}
      paint=${(ctx, size) => paintHeat(ctx, size, history, shown, what)}/>
    <div class="scale"><span>${what === 'beat' ? 'now' : '1 ms'}</span><i></i>
      <span>${what === 'beat' ? 'suspected' : '1 s'}</span></div>`}/>`;
}
