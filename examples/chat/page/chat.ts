import { Text } from '../contract.ts';
import { client } from './connection.ts';
import { find } from './dom.ts';
import { askName } from './join.ts';
import { show, toEnd } from './log.ts';
import { me, newId } from './me.ts';
import { Timeline, type Entry } from './timeline.ts';

/** A message waits for the line this long before it counts as failed; the default of 30 s suits clicks, not a chat. */
const PATIENCE_MS = 3_600_000;

const composer = find('composer', HTMLFormElement);
const box = find('text', HTMLTextAreaElement);

const timeline = new Timeline(() => show(timeline.entries(), retry));
/** Typed under a name that was lost: these go out when there is one again. */
const nameless = new Map<string, Entry>();

/** Shows what is said, and sends what is typed. */
export function startChat(): void {
  client.messages().subscribe({
    snapshot: (messages) => timeline.taken(messages),
    event: (message) => timeline.taken([message]),
  });

  composer.addEventListener('submit', (event) => {
    event.preventDefault();
    const text = Text.safeParse(box.value);
    if (!text.success) return;
    box.value = '';
    fit();
    write(newId(), text.data);
  });
  box.addEventListener('keydown', (event) => {
    // Not while an input method composes a character: there Enter picks it.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    composer.requestSubmit();
  });
  box.addEventListener('input', fit);
}

/** There is a name: it shows which messages are its own, and what waited for one goes out. */
export function welcome(): void {
  show(timeline.entries(), retry);
  const entries = [...nameless.values()];
  nameless.clear();
  for (const { id, text } of entries) write(id, text);
}

function retry({ id, text }: Entry): void {
  write(id, text);
}

function write(id: string, text: string): void {
  timeline.waiting(id, me.name ?? 'me', text);
  toEnd();
  void deliver(id, text);
}

/** One call; the connection sees to the rest. The same id again is the same message, so trying again is safe. */
async function deliver(id: string, text: string): Promise<void> {
  const sent = await client.send({ id, text }, { timeoutMs: PATIENCE_MS }).safe();
  if (sent.ok) return timeline.taken([sent.data]);
  if (sent.error.code === 'NOT_JOINED') {
    nameless.set(id, { id, text, author: me.name ?? 'me', delivery: 'waiting' });
    timeline.held(id, 'waiting', 'you need a name');
    return askName(`The server does not know you as ${me.name ?? 'anybody'} any more. Choose a name again.`);
  }
  timeline.held(id, 'failed', sent.error.message);
}

/** The box grows with its text, up to what the style sheet allows. */
function fit(): void {
  box.style.height = 'auto';
  box.style.height = `${box.scrollHeight + 2}px`;
}
