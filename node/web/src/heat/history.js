// What was measured of each watched member over the last minutes, for the heat map. Pure.
//
// A column every COLUMN_MS, COLUMNS of them: ten minutes. Within a column the worst counts.
import { byName } from '../model/format.js';

export const COLUMN_MS = 4000;
export const COLUMNS = 150;

// history: {columns: [{at, values: Map id -> {beat, rtt}}]}; null: none yet.
export function addColumn(history, members, now) {
  const columns = history ? history.columns : [];
  const last = columns[columns.length - 1];
  const isSame = last && Math.floor(last.at / COLUMN_MS) === Math.floor(now / COLUMN_MS);
  const values = new Map(isSame ? last.values : []);
  for (const member of members) {
    if (!member.watch) continue;
    const before = values.get(member.id);
    values.set(member.id, {
      beat: worse(before?.beat, member.watch.last_beat?.age_ms),
      rtt: worse(before?.rtt, member.watch.rtt_ms),
      limit: member.watch.silence_limit_ms,
    });
  }
  const kept = isSame ? columns.slice(0, -1) : columns;
  return { columns: [...kept, { at: now, values }].slice(-COLUMNS) };
}

function worse(a, b) {
  if (a === null || a === undefined) return b ?? null;
  return b === null || b === undefined ? a : Math.max(a, b);
}

// 0 is well, 1 is bad; null is unknown. Beats: against the silence after which somebody is
// suspected. Round trips: from 1 ms to 1 s, by their logarithm.
export function heatOf(value, what) {
  const number = value?.[what];
  if (number === null || number === undefined) return null;
  if (what === 'beat') return Math.min(1, number / Math.max(1, value.limit || 10000));
  return Math.min(1, Math.max(0, Math.log10(Math.max(1, number)) / 3));
}

// The members of the map, the worst of the last column first.
export function rowsOf(history, what) {
  const last = history.columns[history.columns.length - 1];
  const ids = new Set();
  for (const column of history.columns) for (const id of column.values.keys()) ids.add(id);
  const heat = (id) => heatOf(last.values.get(id), what) ?? 2;
  return [...ids].sort((a, b) => Math.round((heat(b) - heat(a)) * 4) || byName(a, b));
}
