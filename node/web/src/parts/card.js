// A titled panel; one with a picture offers the same as a table.
import { html } from 'htm/preact';
import { useState } from 'preact/hooks';

export function Card({ title, note, picture, table, children, tools, class: extra = '' }) {
  const [isTable, setTable] = useState(false);
  return html`<section class="card ${extra}" aria-label=${title}>
    <header><h2>${title}</h2>${note && html`<span class="note">${note}</span>`}
      <span class="tools">${tools}
      ${table && html`<button class="quiet" aria-pressed=${isTable}
        onClick=${() => setTable(!isTable)}>${isTable ? 'Picture' : 'Table'}</button>`}</span>
    </header>
    ${table ? (isTable ? table : picture) : children}
  </section>`;
}

export const Empty = ({ children }) => html`<p class="empty">${children}</p>`;

// A row of facts; empty ones are left out.
export const Facts = ({ of }) => html`<dl class="facts">
  ${of.filter(([, value]) => value !== undefined && value !== null && value !== '')
    .map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}
</dl>`;

export const Standing = ({ is }) => html`<span class="standing"><i class="sign ${is}"></i>${is}</span>`;
