import type { UrlOption } from '../../transport/transport-options.ts';
import type { Connection } from './connection.ts';

/** A page has few connections to one server: that many are most likely those of modules that were replaced. */
const MANY = 4;

const open = new Map<string, number>();

/** For development: says, where a page holds many connections to one URL, that most of them were forgotten. */
export function warnOfMany(url: UrlOption, connection: Connection): void {
  if (typeof document === 'undefined') return;
  const to = String(url);
  const count = (open.get(to) ?? 0) + 1;
  open.set(to, count);
  const undo = connection.on('status', ({ state }) => {
    if (state !== 'closed') return;
    undo();
    open.set(to, open.get(to)! - 1);
  });
  if (count !== MANY) return;
  // eslint-disable-next-line no-console -- where a developer looks; nothing has failed
  console.warn(
    `Tautline: this page holds ${count} connections to ${to}. Make one, in a module of its own, and share it. A module ` +
      'that is replaced while you develop has to keep its connection: import.meta.hot?.data.connection ?? connect(…).',
  );
}
