import { QueryClient } from '@tanstack/react-query';
import { connect, createClient } from 'tautline';
import { attachTopics, queryUtils } from 'tautline/tanstack-query';
import { newId } from '../../chat/page/me.ts';
import { board } from '../contract.ts';
import { askForToken, keepTicket, keptTicket, type Session } from './session.ts';

/** Names this page's line to the trouble buttons; it proves nothing, so it may stand in the address. */
const line = newId();

/** What the page asked of its line. It is told with every new socket, for a server that knows nothing any more. */
export const wish: { slow: boolean } = { slow: false };

type User = Session['user'];

/** Who is logged in: `null` for nobody, `undefined` before it is known. How many tokens were fetched. */
interface Login {
  readonly user: User | null | undefined;
  readonly tokens: number;
}

let login: Login = { user: keptTicket() === undefined ? null : undefined, tokens: 0 };
const listeners = new Set<() => void>();

/** A store, for `useSyncExternalStore`. */
export const logins = {
  get: (): Login => login,
  listen: (listener: () => void): (() => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
};

function setUser(session: Session | undefined): void {
  keepTicket(session?.ticket);
  const { user } = login;
  const isSame = user?.id === session?.user.id;
  login = { user: isSame ? (user ?? null) : (session?.user ?? null), tokens: login.tokens + (session ? 1 : 0) };
  for (const listener of listeners) listener();
}

/** Asked for each new socket, and when the token is about to expire: the connection stays, nobody notices. */
async function auth(): Promise<{ token: string; expiresAt: number } | undefined> {
  const ticket = keptTicket();
  const session = ticket === undefined ? undefined : await askForToken({ ticket });
  // Meanwhile somebody may have logged out.
  if (keptTicket() === ticket) setUser(session);
  return session;
}

export const connection = connect(
  () => `/board/line?line=${line}${wish.slow ? '&slow' : ''}`,
  login.user === null ? {} : { auth },
);
export const client = createClient(board, connection);

export const queryClient = new QueryClient();
/** Keys and options for TanStack Query. */
export const q = queryUtils(client);
attachTopics(queryClient, client);

/** Logs in as whoever says this name; `false`: refused. Rejects without a server. */
export async function logIn(name: string): Promise<boolean> {
  const session = await askForToken({ name });
  if (session === undefined) return false;
  setUser(session);
  connection.setAuth(auth);
  return true;
}

/** What was shown to this user is gone at once: from the topics, and from the cache. */
export function logOut(): void {
  setUser(undefined);
  connection.setAuth(null);
}
