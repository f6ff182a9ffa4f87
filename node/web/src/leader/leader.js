// Who leads and led, with terms, and the moments when members were lost.
import { html } from 'htm/preact';
import { usePick } from '../model/store.js';
import { clock, span } from '../model/format.js';
import { Canvas, colours } from '../parts/canvas.js';
import { Card, Facts } from '../parts/card.js';
import { cutsOf, spansOf, windowOf } from './spans.js';

const BAND = 30;
const CUT_ROW = 16;
const HEIGHT = BAND + CUT_ROW + 26;

// The same colour for the same leader.
const HUES = ['accent', 'good', 'relay', 'leader', 'warn'];
function hueOf(id, ids) {
  return HUES[ids.indexOf(id) % HUES.length];
}

function paintSpans(ctx, size, spans, cuts, range) {
  const paint = colours();
  const ids = [...new Set(spans.map((each) => each.leader).filter(Boolean))].sort();
  const x = (at) => ((at - range.from) / (range.to - range.from)) * size.width;
  ctx.clearRect(0, 0, size.width, size.height);
  ctx.font = `600 12px ${paint.font}`;
  ctx.textBaseline = 'middle';
  for (const each of spans) {
    const from = Math.max(0, x(each.from));
    const width = Math.max(2, x(each.to) - from);
    if (x(each.to) < 0) continue;
    const colour = each.leader ? paint[hueOf(each.leader, ids)] : paint.bad;
    ctx.globalAlpha = each.leader ? 0.28 : 0.55;
    ctx.fillStyle = colour;
    ctx.fillRect(from, 0, width - 1, BAND);
    ctx.globalAlpha = 1;
    ctx.fillRect(from, 0, Math.min(2, width), BAND);
    const text = each.leader ? `${each.leader} · term ${each.term}` : 'nobody';
    ctx.fillStyle = paint.text;
    if (ctx.measureText(text).width + 12 < width) ctx.fillText(text, from + 8, BAND / 2);
  }
  for (const cut of cuts) {
    if (x(cut.at) < 0) continue;
    ctx.fillStyle = cut.kind === 'died' ? paint.bad : paint.warn;
    ctx.fillRect(x(cut.at) - 1, BAND + 5, 3, CUT_ROW - 6);
  }
  ctx.font = `11px ${paint.font}`;
  ctx.fillStyle = paint.dim;
  ctx.textAlign = 'left';
  ctx.fillText(clock(range.from), 0, HEIGHT - 8);
  ctx.textAlign = 'right';
  ctx.fillText('now', size.width, HEIGHT - 8);
  ctx.textAlign = 'center';
  if (size.width > 360) ctx.fillText('marks: members lost or suspected', size.width / 2, HEIGHT - 8);
  ctx.textAlign = 'left';
}

export function Leader({ tools }) {
  const events = usePick((state) => state.events);
  const leadership = usePick((state) => state.overview?.leadership);
  if (!leadership) return null;
  const now = Date.now();
  const spans = spansOf(events, leadership, now);
  const cuts = cutsOf(events);
  const range = windowOf(spans, now);
  const log = leadership.log;
  const table = html`<div class="scroll"><table>
    <thead><tr><th>from</th><th>leader</th><th>term</th><th>for</th></tr></thead>
    <tbody>${[...spans].reverse().map((each) => html`<tr key=${each.from}>
      <th scope="row">${clock(each.from)}</th><td>${each.leader || 'nobody'}</td>
      <td>${each.term || '–'}</td><td>${span(each.to - each.from)}</td></tr>`)}</tbody></table></div>`;
  return html`<${Card} title="Leader" tools=${tools} note=${leadership.leader
    ? `${leadership.leader}, for ${span(leadership.since?.age_ms)}` : 'nobody leads'}
    table=${table}
    picture=${html`<${Canvas} height=${HEIGHT} label=${`Leaders: ${spans.length} spans; now ` +
      `${leadership.leader || 'nobody'} in term ${leadership.term}`}
      paint=${(ctx, size) => paintSpans(ctx, size, spans, cuts, range)}/>
    <${Facts} of=${[['term', leadership.term], ['policy', leadership.policy],
      ['this node', leadership.role], ['committed', log?.commit], ['applied', log?.applied],
      ['on disk', log?.durable]]}/>`}/>`;
}
