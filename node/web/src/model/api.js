// Requests to the node that serves this page, and to nobody else.

const KEY = 'riftbus-token';

// Kept for this tab only: closing it forgets the token.
export const readToken = () => sessionStorage.getItem(KEY) || '';
export function writeToken(token) {
  if (token) sessionStorage.setItem(KEY, token);
  else sessionStorage.removeItem(KEY);
}

export class Refused extends Error {
  constructor(status, answer) {
    super(answer?.error || `HTTP ${status}`);
    this.status = status;
    this.code = answer?.code || '';
    this.next = answer?.details?.next || '';
    this.where = answer?.details?.where || '';
  }
}

// The body of an answer that does not end by itself; `signal` ends it.
export async function openStream(path, signal) {
  const token = readToken();
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const response = await fetch(path, { headers, cache: 'no-store', signal });
  if (!response.ok) throw new Refused(response.status, await response.json().catch(() => null));
  return response.body;
}

async function request(path, options = {}) {
  const headers = { ...options.headers };
  const token = readToken();
  if (token) headers.Authorization = `Bearer ${token}`;
  const response = await fetch(path, {
    ...options, headers, cache: 'no-store', signal: AbortSignal.timeout(8000),
  });
  let answer = null;
  try {
    answer = await response.json();
  } catch (error) {
    if (response.ok) throw error;
  }
  if (!response.ok) throw new Refused(response.status, answer);
  return answer;
}

export const get = (path) => request(path);
export const post = (path, body) => request(path, {
  method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body),
});

// All pages of a list, at most `most` of them.
export async function getAll(path, list, most = 16) {
  let items = [];
  let after = '';
  let page = null;
  for (let i = 0; i < most; ++i) {
    page = await get(after ? `${path}?after=${encodeURIComponent(after)}` : path);
    items = items.length ? items.concat(page[list]) : page[list];
    after = page.after;
    if (!after) break;
  }
  return { ...page, [list]: items };
}
