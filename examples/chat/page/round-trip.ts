import { client, connection } from './connection.ts';
import { find, say } from './dom.ts';

const PAUSE_MS = 1_000;
const figure = find('rtt', HTMLElement);

/** Shows what a call takes there and back, by making one now and then. */
export function startRoundTrip(): void {
  connection.on('status', ({ state }) => {
    if (state !== 'connected') say(figure, '–');
  });
  void measure();
}

async function measure(): Promise<void> {
  const { status } = connection;
  if (status.state === 'connected' && !document.hidden) {
    const start = performance.now();
    const answer = await client.ping().safe();
    // A status is the same object until something changes: otherwise the call waited for a new line.
    if (answer.ok && connection.status === status) say(figure, `${Math.ceil(performance.now() - start)} ms`);
  }
  setTimeout(() => void measure(), PAUSE_MS);
}
