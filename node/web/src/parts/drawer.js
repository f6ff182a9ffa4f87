// A panel at the side (on a phone: from below). It takes the focus, and gives it back.
import { html } from 'htm/preact';
import { useEffect, useRef } from 'preact/hooks';

export function Drawer({ title, onClose, children }) {
  const box = useRef();
  useEffect(() => {
    const before = document.activeElement;
    box.current.focus();
    return () => before?.focus?.();
  }, [title]);
  const onKeyDown = (event) => { if (event.key === 'Escape') onClose(); };
  return html`<aside class="drawer" role="dialog" aria-label=${title} tabindex="-1" ref=${box}
    onKeyDown=${onKeyDown}>
    <header><h2>${title}</h2><button class="quiet" aria-label="Close" onClick=${onClose}>✕</button>
    </header><div class="inside">${children}</div></aside>`;
}
