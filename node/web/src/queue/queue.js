// The queue: how much waits, runs and has died, and how fast it moves.
import { html } from 'htm/preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { usePick } from '../model/store.js';
import { clock, count } from '../model/format.js';
import { colours, useTheme } from '../parts/canvas.js';
import { Card } from '../parts/card.js';
import { RATES, SERIES, columnsOf } from './samples.js';

const HEIGHT = 190;
const WINDOW_S = 60; // at least: a line of two points says nothing

// uPlot itself would show a whole day around a single sample.
function rangeOf({ data: [times] }) {
  const to = times[times.length - 1];
  return [Math.min(times[0], to - WINDOW_S), to];
}

function options(series, size) {
  const paint = colours();
  const axis = { stroke: paint.dim, grid: { stroke: paint.line, width: 1 },
    ticks: { stroke: paint.line, width: 1 }, font: `11px ${paint.font}` };
  return {
    ...size, cursor: { y: false }, legend: { live: true },
    scales: { x: { range: rangeOf }, y: { range: (_, low, high) => [0, Math.max(1, high * 1.15)] } },
    axes: [{ ...axis, values: (_, ticks) => ticks.map((at) => clock(at * 1000)), space: 90 },
      { ...axis, size: 46, values: (_, ticks) => ticks.map(count) }],
    series: [{ label: 'time', value: (_, at) => (at ? clock(at * 1000) : '–') },
      ...series.map(([, label, colour], i) => ({ label, stroke: paint[colour], width: 2,
        fill: i < 2 ? `color-mix(in srgb, ${paint[colour]} 14%, transparent)` : undefined,
        points: { show: false },
        value: (_, number) => (number === null || number === undefined ? '–'
          : Number.isInteger(number) ? String(number) : number.toFixed(1)) }))],
  };
}

function Plot({ samples, series, label }) {
  const box = useRef();
  const plot = useRef(null);
  const theme = useTheme();
  useEffect(() => {
    const target = box.current; // the observer may report once more when it is gone
    const size = () => ({ width: Math.max(200, target.clientWidth), height: HEIGHT });
    const made = new uPlot(options(series, size()), columnsOf(samples, series), target);
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize(size()));
    observer.observe(target);
    return () => { observer.disconnect(); made.destroy(); };
  }, [theme, series]);
  useEffect(() => {
    plot.current.setData(columnsOf(samples, series));
    // Nobody points at a moment: the legend tells the last one.
    if (!(plot.current.cursor.left >= 0)) plot.current.setLegend({ idx: samples.length - 1 });
  }, [samples, theme]);
  return html`<div class="plot" role="img" aria-label=${label} ref=${box}></div>`;
}

const Table = ({ samples }) => {
  const columns = [...SERIES, ...RATES];
  return html`<div class="scroll"><table><thead><tr><th>time</th>
    ${columns.map(([, label]) => html`<th>${label}</th>`)}</tr></thead>
    <tbody>${samples.slice(-60).reverse().map((each) => html`<tr key=${each.at}>
      <th scope="row">${clock(each.at)}</th>${columns.map(([name]) => html`<td>
        ${Number.isInteger(each[name]) ? each[name] : each[name].toFixed(1)}</td>`)}</tr>`)}
    </tbody></table></div>`;
};

export function Queue() {
  const samples = usePick((state) => state.samples);
  const isStale = usePick((state) => state.stats?.stale);
  const [isRates, setRates] = useState(false);
  const last = samples[samples.length - 1];
  if (!last) return null;
  const tools = [['Items', false], ['Rates', true]].map(([text, value]) => html`<button class="quiet"
    key=${text} aria-pressed=${isRates === value} onClick=${() => setRates(value)}>${text}</button>`);
  return html`<${Card} title="Queue" tools=${tools}
    note=${isStale ? 'no leader answers: this node’s own, older copy' : ''}
    table=${html`<${Table} samples=${samples}/>`}
    picture=${html`<${Plot} key=${isRates} samples=${samples} series=${isRates ? RATES : SERIES}
      label=${`${last.ready} waiting, ${last.leased} running, ${last.delayed} delayed, ` +
        `${last.dead} dead letters`}/>`}/>`;
}
