// Numbers as people read them. Pure.

// n2 stands before n10. The collator is made once: a comparison that makes its own is much slower.
export const byName = new Intl.Collator('en', { numeric: true }).compare;

const SPANS = [[86400000, 'd'], [3600000, 'h'], [60000, 'm'], [1000, 's']];

// 7100 -> "7.1 s", 93784000 -> "1 d 2 h": two units at most; null -> "–".
export function span(ms) {
  if (ms === null || ms === undefined) return '–';
  const left = Math.max(0, ms);
  if (left < 1000) return `${left < 10 ? Math.round(left * 10) / 10 : Math.round(left)} ms`;
  if (left < 60000) return `${(left / 1000).toFixed(left < 10000 ? 1 : 0)} s`;
  for (let i = 0; i < SPANS.length - 1; ++i) {
    const [unit, name] = SPANS[i];
    if (left < unit) continue;
    const [next, nextName] = SPANS[i + 1];
    const rest = Math.floor((left % unit) / next);
    return `${Math.floor(left / unit)} ${name}${rest ? ` ${rest} ${nextName}` : ''}`;
  }
  return '–';
}

export const ago = (time) => (time ? `${span(time.age_ms)} ago` : '–');

export function count(value) {
  if (value === null || value === undefined) return '–';
  if (value < 10000) return String(value);
  if (value < 1e6) return `${(value / 1000).toFixed(value < 1e5 ? 1 : 0)} k`;
  return `${(value / 1e6).toFixed(1)} M`;
}

export function megabytes(value) {
  if (!value) return '–';
  if (value < 1024) return `${value} MB`;
  if (value < 1024 * 1024) return `${(value / 1024).toFixed(value < 10240 ? 1 : 0)} GB`;
  return `${(value / 1024 / 1024).toFixed(1)} TB`;
}

const pad = (value) => String(value).padStart(2, '0');

// An ISO time as the clock on this wall shows it.
export function clock(at) {
  const date = new Date(at);
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
}

export const plural = (n, word) => `${count(n)} ${word}${n === 1 ? '' : 's'}`;
