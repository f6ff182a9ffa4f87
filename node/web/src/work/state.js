// The states of work, in words and signs.
import { html } from 'htm/preact';

export const WORDS = { ready: 'waiting', leased: 'running', delayed: 'delayed', dead: 'dead letter',
  done: 'done', cancelled: 'cancelled' };
const SIGNS = { ready: 'voter', leased: 'alive', delayed: 'suspect', dead: 'dead', done: 'left',
  cancelled: 'left' };

export const isOver = (one) => one.state === 'done' || one.state === 'cancelled';

export const State = ({ of }) => html`<span class="standing"><i class="sign ${SIGNS[of.state]}"></i>
  ${of.cancelling ? 'being cancelled' : WORDS[of.state] || of.state}</span>`;
