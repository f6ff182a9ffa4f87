// The one state of the page; views pick what they show and are drawn again when that changes.
import { useEffect, useReducer, useRef } from 'preact/hooks';

export const EVENTS_KEPT = 500;

export function createStore(initial) {
  let state = initial;
  const listeners = new Set();
  return {
    get: () => state,
    set(change) {
      state = { ...state, ...change };
      for (const listener of [...listeners]) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

export const store = createStore({
  link: 'connecting', // 'live', 'stale' (the node's loop stands still), 'lost'
  lastAt: 0, // of the last good answer, on this machine's clock
  routes: null, // what the node offers, by openapi.json
  overview: null, // the status document
  members: [],
  links: [],
  relays: [],
  stats: null,
  works: [],
  ended: [], // work, the newest first
  events: [], // the newest last
  samples: [], // of the queue (queue/samples.js)
  heat: null, // of the links (heat/history.js)
  selected: null, // a member's id
  work: null, // an item's id
  notice: '', // said by the live region
  token: false,
});

// Draws the caller again when pick(state) is another value.
export function usePick(pick) {
  const [, again] = useReducer((n) => n + 1, 0);
  const latest = useRef();
  latest.current = pick(store.get());
  const picker = useRef(pick);
  picker.current = pick;
  useEffect(() => store.subscribe(() => {
    if (picker.current(store.get()) !== latest.current) again();
  }), []);
  return latest.current;
}

export const announce = (notice) => store.set({ notice });
export const select = (id) => store.set({ selected: id, work: null });
export const showWork = (id) => store.set({ work: id, selected: null });
