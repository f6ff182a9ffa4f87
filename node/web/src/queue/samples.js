// The queue over time, as this page has seen it since it was opened. Pure.

export const SAMPLES = 900;

const COUNTED = ['granted', 'completed', 'failed', 'lost'];

function totals(stats) {
  const sums = Object.fromEntries(COUNTED.map((name) => [name, 0]));
  for (const kind of stats.kinds) for (const name of COUNTED) sums[name] += kind[name];
  return sums;
}

// Rates are of the time since the sample before; another node's answer may be behind, so never < 0.
export function addSample(samples, stats, now) {
  const sums = totals(stats);
  const last = samples[samples.length - 1];
  const seconds = last ? (now - last.at) / 1000 : 0;
  const rate = (name) => (seconds > 0 ? Math.max(0, sums[name] - last.sums[name]) / seconds : 0);
  const { ready, leased, delayed, dead } = stats.items;
  const sample = { at: now, ready, leased, delayed, dead, sums,
    claims: rate('granted'), ends: rate('completed'), faults: rate('failed') + rate('lost') };
  return [...samples, sample].slice(-SAMPLES);
}

export const SERIES = [['ready', 'waiting', 'accent'], ['leased', 'running', 'good'],
  ['delayed', 'delayed', 'warn'], ['dead', 'dead letters', 'bad']];
export const RATES = [['claims', 'claimed/s', 'accent'], ['ends', 'completed/s', 'good'],
  ['faults', 'failed/s', 'bad']];

// Columns as uPlot takes them: seconds first.
export function columnsOf(samples, series) {
  return [samples.map((each) => each.at / 1000),
    ...series.map(([name]) => samples.map((each) => each[name]))];
}
