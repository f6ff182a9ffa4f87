// A canvas that is as sharp as the screen and is drawn again when its size or the colours change.
import { html } from 'htm/preact';
import { useEffect, useRef, useState } from 'preact/hooks';

const NAMES = ['text', 'dim', 'line', 'sector', 'panel', 'accent', 'good', 'warn', 'bad', 'relay',
  'leader', 'cool', 'warm', 'hot'];

let known = null;
export function colours() {
  if (known) return known;
  const style = getComputedStyle(document.documentElement);
  known = Object.fromEntries(NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
  known.font = getComputedStyle(document.body).fontFamily;
  Object.assign(known, { alive: known.good, suspect: known.warn, dead: known.bad,
    unreachable: known.warn, left: known.dim });
  return known;
}
export function themeChanged() {
  known = null;
  window.dispatchEvent(new Event('riftbus-theme'));
}
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', themeChanged);

// Grows when the colours have changed.
export function useTheme() {
  const [theme, setTheme] = useState(0);
  useEffect(() => {
    const changed = () => setTheme((n) => n + 1);
    window.addEventListener('riftbus-theme', changed);
    return () => window.removeEventListener('riftbus-theme', changed);
  }, []);
  return theme;
}

// paint(ctx, {width, height}) in CSS pixels. Other properties go to the canvas.
export function Canvas({ paint, height, label, ...rest }) {
  const box = useRef();
  const canvas = useRef();
  const [width, setWidth] = useState(0);
  useTheme();
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.round(entry.contentRect.width)));
    observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  const tall = typeof height === 'function' ? height(width) : height;
  useEffect(() => {
    if (!width) return;
    const ratio = Math.min(3, window.devicePixelRatio || 1);
    const target = canvas.current;
    if (target.width !== width * ratio || target.height !== tall * ratio) {
      target.width = width * ratio;
      target.height = tall * ratio;
      target.style.height = `${tall}px`;
    }
    const ctx = target.getContext('2d');
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    paint(ctx, { width, height: tall });
  });
  return html`<div class="canvas" ref=${box}>
    <canvas ref=${canvas} role="img" aria-label=${label} ...${rest}></canvas></div>`;
}
