import { find, hue, make, say } from './dom.ts';
import { me } from './me.ts';
import type { Entry } from './timeline.ts';

const list = find('log', HTMLOListElement);
const empty = find('empty', HTMLElement);
const rows = new Map<string, Row>();
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });

interface Row {
  readonly item: HTMLLIElement;
  readonly note: HTMLElement;
  readonly time: HTMLTimeElement;
  readonly author: HTMLElement;
  readonly retry: HTMLButtonElement;
}

// Follows new messages, unless the reader went up to older ones. A keyboard that opens makes the list shorter, too.
let atEnd = true;
list.addEventListener('scroll', () => (atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80));
new ResizeObserver(follow).observe(list);

function follow(): void {
  if (atEnd) list.scrollTop = list.scrollHeight;
}

/** Goes to the newest message. */
export function toEnd(): void {
  atEnd = true;
  follow();
}

/** Shows the entries in this order, touching only what changed. */
export function show(entries: readonly Entry[], retry: (entry: Entry) => void): void {
  entries.forEach((entry, index) => {
    const row = rows.get(entry.id) ?? newRow(entry);
    if (list.children[index] !== row.item) list.insertBefore(row.item, list.children[index] ?? null);
    update(row, entry, entries[index - 1]);
    row.retry.onclick = () => retry(entry);
  });
  const kept = new Set(entries.map(({ id }) => id));
  for (const [id, { item }] of rows) {
    if (kept.has(id)) continue;
    item.remove();
    rows.delete(id);
  }
  empty.hidden = entries.length > 0;
  follow();
}

function newRow({ id, text }: Entry): Row {
  const item = make('li', 'message');
  const author = make('span', 'author');
  const foot = make('span', 'foot');
  const time = make('time', '');
  const note = make('span', 'delivery');
  const retry = make('button', 'retry', 'Try again');
  retry.type = 'button';
  foot.append(time, note, retry);
  item.append(author, make('p', 'text', text), foot);
  item.dataset.id = id;
  const row: Row = { item, author, time, note, retry };
  rows.set(id, row);
  return row;
}

function update({ item, author, time, note, retry }: Row, entry: Entry, before: Entry | undefined): void {
  const mine = entry.author === me.name || entry.delivery !== 'sent';
  item.classList.toggle('mine', mine);
  item.classList.toggle('more', before?.author === entry.author);
  item.dataset.delivery = entry.delivery;
  item.style.setProperty('--hue', hue(entry.author));
  say(author, entry.author);
  if (entry.at) {
    time.dateTime = entry.at.toISOString();
    time.title = entry.at.toLocaleString();
    say(time, clock.format(entry.at));
  }
  // Delivery concerns the writer only.
  const { delivery, reason } = entry;
  say(note, !mine ? '' : reason === undefined ? delivery : `${delivery}: ${reason}`);
  retry.hidden = delivery !== 'failed';
}
