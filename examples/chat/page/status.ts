import { connection } from './connection.ts';
import { find, say } from './dom.ts';

const LOOK_AGAIN_MS = 250;

const box = find('status', HTMLElement);
const words = find('status-words', HTMLElement);
const wait = find('status-wait', HTMLElement);
const wake = find('wake', HTMLButtonElement);
const queue = find('queued', HTMLElement);
const again = find('reconnects', HTMLElement);

/** Shows the state of the connection in words and numbers. */
export function startStatus(): void {
  connection.on('status', showStatus);
  showStatus();
  wake.addEventListener('click', () => connection.wake());
  // The status tells when it changes; the numbers and the countdown are asked for.
  setInterval(showNumbers, LOOK_AGAIN_MS);
}

function showStatus(): void {
  const { status } = connection;
  box.dataset.state = status.state;
  document.documentElement.dataset.line = status.state;
  wake.hidden = status.state !== 'waiting' && status.state !== 'suspended';
  say(words, inWords());
  showNumbers();
}

function inWords(): string {
  const { status } = connection;
  switch (status.state) {
    case 'idle':
      return 'Not connected';
    case 'connecting':
      return status.attempt > 1 ? `Connecting, try ${status.attempt}` : 'Connecting';
    case 'connected':
      return 'Connected';
    case 'waiting':
      return 'No connection';
    case 'suspended':
      return 'Paused';
    case 'closing':
      return 'Closing';
    case 'closed':
      return 'Closed';
    default:
      return status satisfies never;
  }
}

function showNumbers(): void {
  const { status } = connection;
  const seconds = status.state === 'waiting' ? Math.max(0, Math.ceil((status.retryAt - Date.now()) / 1000)) : 0;
  say(wait, status.state === 'waiting' ? `next try in ${seconds} s` : '');

  const { queued, reconnects } = connection.stats();
  say(queue, String(queued.messages));
  say(again, String(reconnects));
}
