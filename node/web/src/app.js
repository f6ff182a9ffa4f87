// The page: a bar, a row of numbers, and the views behind it.
import { html } from 'htm/preact';
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { start } from './model/pulse.js';
import { usePick } from './model/store.js';
import { Bar } from './parts/bar.js';
import { Dialog } from './parts/dialog.js';
import { Problems, Tiles } from './parts/tiles.js';
import { Mesh } from './mesh/mesh.js';
import { Heat } from './heat/heat.js';
import { Queue } from './queue/queue.js';
import { Leader } from './leader/leader.js';
import { Members } from './members/table.js';
import { MemberDrawer } from './members/drawer.js';
import { Work, WorkDrawer } from './work/work.js';
import { Ended } from './work/ended.js';
import { Events } from './events/feed.js';
import { Tap } from './tap/tap.js';

const Overview = () => html`<${Tiles}/><${Problems}/>
  <div class="grid"><${Mesh}/><${Events}/><${Queue}/><${Leader}/><${Heat}/><${Members} perPage=${15}/></div>`;

const VIEWS = {
  '#/': ['Overview', Overview],
  '#/members': ['Members', () => html`<${Members}/><${Heat}/>`],
  '#/work': ['Work', () => html`<div class="stack"><${Queue}/><${Work}/><${Ended}/></div>`],
  '#/events': ['Events', () => html`<${Leader}/><${Events} most=${500} class="tall"/>`],
  '#/tap': ['Tap', Tap],
};

function useHash() {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const changed = () => setHash(location.hash);
    window.addEventListener('hashchange', changed);
    return () => window.removeEventListener('hashchange', changed);
  }, []);
  return VIEWS[hash] ? hash : '#/';
}

function App() {
  const hash = useHash();
  const selected = usePick((state) => state.selected);
  const work = usePick((state) => state.work);
  const notice = usePick((state) => state.notice);
  const isThere = usePick((state) => state.overview !== null);
  const cluster = usePick((state) => state.overview?.cluster);
  useEffect(() => { document.title = `${cluster ? `${cluster} · ` : ''}Riftbus`; }, [cluster]);
  const [name, View] = VIEWS[hash];
  return html`<a class="skip" href="#main">To the content</a>
    <${Bar} views=${VIEWS} at=${hash}/>
    <main id="main" tabindex="-1" aria-label=${name} class=${selected || work ? 'beside' : ''}>
      ${isThere ? html`<${View}/>` : html`<p class="empty">Asking the node …</p>`}</main>
    ${selected && html`<${MemberDrawer} key=${selected} id=${selected}/>`}
    ${work && html`<${WorkDrawer} key=${work} id=${work}/>`}
    <${Dialog}/>
    <div class="unseen" role="status" aria-live="polite">${notice}</div>`;
}

start();
render(html`<${App}/>`, document.getElementById('app'));
