// Keeps the store fresh: a poll every two seconds of what is on screen, and one stream of events.
// While the tab is hidden it asks seldom. A change in membership brings the next poll forward.
import { get, getAll, readToken, Refused } from './api.js';
import { EVENTS_KEPT, announce, store } from './store.js';
import { addSample } from '../queue/samples.js';
import { addColumn } from '../heat/history.js';

const EVERY_MS = 2000;
const EVERY_MS_LARGE = 4000; // with more than LARGE members
const EVERY_MS_HIDDEN = 15000;
const LARGE = 300;
const SOON_MS = 400;
const LOUD = new Set(['died', 'suspected', 'refuted', 'returned', 'left', 'joined', 'unreachable']);

let timer = 0;
let isAsking = false;
let wantsSoon = false;

// A question that may fail alone: then what was known stays.
async function maybe(question) {
  try {
    return await question();
  } catch (error) {
    if (error instanceof Refused) return null;
    throw error;
  }
}

function everyMs() {
  if (document.hidden) return EVERY_MS_HIDDEN;
  return store.get().members.length > LARGE ? EVERY_MS_LARGE : EVERY_MS;
}

// The page is drawn for the first time as soon as there are members; the rest follows.
async function ask() {
  const isWork = location.hash.startsWith('#/work');
  const first = Promise.all([get('/overview'), getAll('/members', 'nodes')]);
  const rest = Promise.all([
    maybe(() => getAll('/links', 'links')),
    maybe(() => get('/relays')),
    maybe(() => get('/work/stats')),
    isWork ? maybe(() => get('/work/list?limit=500')) : null,
    isWork ? maybe(() => get('/work/ended?limit=100')) : null,
  ]);
  rest.catch(() => {}); // awaited below, unless the first has failed before
  const [glance, { nodes }] = await first;
  const state = store.get();
  const change = { link: 'live', lastAt: Date.now(), overview: glance, members: nodes };
  if (!state.overview) store.set(change);
  const [links, relays, stats, works, ended] = await rest;
  if (links) change.links = links.links;
  if (relays) change.relays = relays.relays;
  if (works) change.works = works.works;
  if (ended) change.ended = ended.works;
  if (stats) {
    change.stats = stats;
    change.samples = addSample(state.samples, stats, Date.now());
  }
  change.heat = addColumn(state.heat, nodes, Date.now());
  store.set(change);
}

export async function refresh() {
  clearTimeout(timer);
  if (isAsking) {
    wantsSoon = true;
    return;
  }
  isAsking = true;
  wantsSoon = false;
  try {
    await ask();
    if (!store.get().routes) {
      store.set({ routes: new Set(Object.keys((await get('/openapi.json')).paths)) });
    }
  } catch (error) {
    store.set({ link: error instanceof Refused && error.code === 'LOOP_STOPPED' ? 'stale' : 'lost' });
  }
  isAsking = false;
  timer = setTimeout(refresh, wantsSoon ? SOON_MS : everyMs());
}

// Many events at once, one drawing.
let fresh = [];
let freshTimer = 0;
function take(event) {
  fresh.push(event);
  if (!freshTimer) freshTimer = setTimeout(pour, 250);
}
function pour() {
  freshTimer = 0;
  const { events } = store.get();
  const last = events.length ? events[events.length - 1].seq : -1;
  const news = fresh.filter((each) => each.seq > last);
  fresh = [];
  if (news.length === 0) return;
  store.set({ events: events.concat(news).slice(-EVENTS_KEPT) });
  const loud = news.filter((each) => LOUD.has(each.kind) || each.kind === 'leader');
  if (loud.length === 0) return;
  if (events.length) announce(loud.slice(-3).map((each) => `${each.subject}: ${each.text}`).join('. '));
  clearTimeout(timer);
  timer = setTimeout(refresh, SOON_MS);
}

function listen() {
  const source = new EventSource('/events');
  source.onmessage = (message) => take(JSON.parse(message.data));
  // The node was started anew, or the stream fell behind: numbers begin again.
  source.addEventListener('lost', (message) => {
    if (message.data.includes('null')) store.set({ events: [] });
  });
}

export function start() {
  store.set({ token: readToken() !== '' });
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) refresh();
  });
  window.addEventListener('hashchange', refresh);
  refresh();
  listen();
}
