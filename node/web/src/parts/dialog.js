// Questions to the operator: whether to act, and for the token. Built on <dialog>: the browser
// keeps the focus inside, Escape says no.
import { html } from 'htm/preact';
import { useEffect, useRef } from 'preact/hooks';
import { post, readToken, writeToken } from '../model/api.js';
import { announce, createStore, store } from '../model/store.js';
import { refresh } from '../model/pulse.js';
import { useReducer } from 'preact/hooks';

const open = createStore({ action: null, busy: false, trouble: '' });

// action: {title, text, verb, path, body, isHarmful}
export const askFirst = (action) => open.set({ action, busy: false, trouble: '' });
export const askToken = () => askFirst({ title: 'Token of this node', verb: 'Keep for this tab',
  text: 'Changes take the node’s HTTP token. It is forgotten when this tab is closed.' });

function useDialog() {
  const [, again] = useReducer((n) => n + 1, 0);
  useEffect(() => open.subscribe(again), []);
  return open.get();
}

async function run(action, token) {
  if (token !== null) {
    writeToken(token);
    store.set({ token: token !== '' });
  }
  if (!action.path) return open.set({ action: null });
  open.set({ busy: true, trouble: '' });
  try {
    await post(action.path, action.body);
    open.set({ action: null, busy: false });
    announce(`Done: ${action.title}`);
    refresh();
  } catch (error) {
    if (error.status === 401) {
      writeToken('');
      store.set({ token: false });
    }
    open.set({ busy: false, trouble: `${error.message}${error.next ? ` – ${error.next}` : ''}` });
  }
  return null;
}

export function Dialog() {
  const { action, busy, trouble } = useDialog();
  const dialog = useRef();
  const field = useRef();
  useEffect(() => {
    if (action && !dialog.current.open) dialog.current.showModal();
    if (!action && dialog.current.open) dialog.current.close();
  }, [action]);
  const isAsking = action && (!action.path || !readToken());
  const submit = (event) => {
    event.preventDefault();
    if (!busy) run(action, isAsking ? field.current.value.trim() : null);
  };
  return html`<dialog ref=${dialog} aria-labelledby="question"
    onClose=${() => open.set({ action: null })}>
    ${action && html`<form onSubmit=${submit}>
      <h2 id="question">${action.title}</h2>
      <p>${action.text}</p>
      ${isAsking && html`<label>Token
        <input ref=${field} type="password" autocomplete="off" required=${!!action.path}/></label>`}
      ${trouble && html`<p class="trouble" role="alert">${trouble}</p>`}
      <div class="buttons">
        <button type="button" onClick=${() => open.set({ action: null })}>Leave it</button>
        <button type="submit" class=${action.isHarmful ? 'harm' : 'main'} disabled=${busy}>
          ${busy ? 'Asking …' : action.verb}</button>
      </div></form>`}
  </dialog>`;
}
