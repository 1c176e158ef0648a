import { connect, createClient } from 'tautline';
import { chat } from '../contract.ts';
import { me, newId } from './me.ts';

/** Names this page's line to the trouble buttons; it proves nothing, so it may stand in the address. */
const line = newId();

/** What the page asked of its line. It is told with every new socket, for a server that knows nothing any more. */
export const wish: { slow: boolean } = { slow: false };

/** Dials now, and again whenever the line is lost. */
export const connection = connect(() => `/chat?line=${line}${wish.slow ? '&slow' : ''}`, {
  // Asked for each new socket: a server that was restarted learns the name here, and gives it back if it is free.
  auth: () => JSON.stringify({ session: me.session, name: me.name }),
});

/** `client.send(…)`, `client.messages()`: what the contract says, typed. */
export const client = createClient(chat, connection);
