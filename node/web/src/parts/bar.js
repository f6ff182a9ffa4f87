// The bar at the top: which cluster, how it is, who shows it, where to go.
import { html } from 'htm/preact';
import { useEffect, useState } from 'preact/hooks';
import { store, usePick } from '../model/store.js';
import { writeToken } from '../model/api.js';
import { askToken } from './dialog.js';
import { themeChanged } from './canvas.js';

const THEMES = { auto: 'As the system', light: 'Light', dark: 'Dark' };
const KEY = 'riftbus-theme';

function useThemeChoice() {
  const [theme, setTheme] = useState(localStorage.getItem(KEY) || 'auto');
  useEffect(() => {
    if (theme === 'auto') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    localStorage.setItem(KEY, theme);
    themeChanged();
  }, [theme]);
  return [theme, setTheme];
}

const LINKS = { connecting: ['warn', 'connecting'], live: ['good', 'live'],
  stale: ['warn', 'the node’s loop stands still'], lost: ['bad', 'no answer'] };

function Pulse() {
  const link = usePick((state) => state.link);
  const lastAt = usePick((state) => state.lastAt);
  const [, tick] = useState(0);
  useEffect(() => {
    if (link === 'live') return undefined;
    const timer = setInterval(() => tick((n) => n + 1), 1000);
    return () => clearInterval(timer);
  }, [link]);
  const [tone, text] = LINKS[link];
  const old = link !== 'live' && lastAt ? ` for ${Math.round((Date.now() - lastAt) / 1000)} s` : '';
  return html`<span class="pulse ${tone}" title="of the connection to this node">
    <i></i>${text}${old}</span>`;
}

const STATES = { ok: 'good', degraded: 'warn', joining: 'warn' };

export function Bar({ views, at }) {
  const overview = usePick((state) => state.overview);
  const hasToken = usePick((state) => state.token);
  const [theme, setTheme] = useThemeChoice();
  const lock = () => {
    if (!hasToken) return askToken();
    writeToken('');
    return store.set({ token: false });
  };
  return html`<header class="bar">
    <div class="brand"><img src="/icon.svg" alt="" width="28" height="28"/>
      <div><h1>${overview?.cluster || 'Riftbus'}</h1>
        <span class="dim">${overview ? `seen from ${overview.node}` : ''}</span></div>
      ${overview && html`<span class="state ${STATES[overview.state] || 'bad'}">${overview.state}</span>`}
    </div>
    <nav aria-label="Views">${Object.entries(views).map(([hash, [name]]) => html`<a key=${hash}
      href=${hash} aria-current=${hash === at ? 'page' : undefined}>${name}</a>`)}</nav>
    <div class="right"><${Pulse}/>
      <button class="quiet" onClick=${lock} title=${hasToken ? 'forget the token' : 'give the token'}>
        ${hasToken ? 'Lock' : 'Unlock'}</button>
      <select aria-label="Colours" value=${theme} onChange=${(event) => setTheme(event.target.value)}>
        ${Object.entries(THEMES).map(([key, text]) => html`<option key=${key} value=${key}>${text}
        </option>`)}</select></div></header>`;
}
