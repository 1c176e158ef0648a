import { client, connection, wish } from './connection.ts';
import { find, say } from './dom.ts';

const cut = find('cut', HTMLButtonElement);
const stop = find('stop', HTMLButtonElement);
const slow = find('slow', HTMLButtonElement);
const why = find('trouble-why', HTMLElement);
const busy = new Set<HTMLButtonElement>();

/** Three buttons that make trouble for real, at the server: this page does not pretend. */
export function startTrouble(): void {
  // The answer to this call can't come over the line that it cuts. It comes over the next one: the server remembers.
  cut.addEventListener('click', () => void during(cut, () => client.trouble.cut().safe()));
  stop.addEventListener('click', () => void during(stop, () => client.trouble.stop().safe()));
  slow.addEventListener('click', () => void during(slow, turnSlow));
  connection.on('status', enable);
  enable();
}

async function turnSlow(): Promise<void> {
  const on = !wish.slow;
  const turned = await client.trouble.slow({ on }).safe();
  if (!turned.ok) return;
  wish.slow = on;
  slow.setAttribute('aria-pressed', String(on));
}

/** A button works once at a time, and only while there is a line to trouble: trouble is nothing to queue. */
async function during(button: HTMLButtonElement, work: () => Promise<unknown>): Promise<void> {
  busy.add(button);
  enable();
  await work();
  busy.delete(button);
  enable();
}

function enable(): void {
  const hasLine = connection.status.state === 'connected';
  for (const button of [cut, stop, slow]) button.disabled = !hasLine || busy.has(button);
  say(why, hasLine ? '' : 'Grey because there is no connection: there is nothing to trouble.');
}
