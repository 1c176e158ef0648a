import { z } from 'zod';

const Session = z.object({
  user: z.object({ id: z.string(), name: z.string() }),
  ticket: z.string(),
  token: z.string(),
  expiresAt: z.number(),
});
export type Session = z.infer<typeof Session>;

/** Asks for a token: with a name to log in, with a ticket for the next one. `undefined`: refused. */
export async function askForToken(ask: { name: string } | { ticket: string }): Promise<Session | undefined> {
  const response = await fetch('/board/token', { method: 'POST', body: JSON.stringify(ask) });
  if (response.status === 401) return undefined;
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  return Session.parse(await response.json());
}

/** The ticket is kept for the tab: a reload is still logged in, another tab is not. */
export function keptTicket(): string | undefined {
  try {
    return sessionStorage.getItem('board.ticket') ?? undefined;
  } catch {
    // Storage is forbidden here: a reload has to log in again.
    return undefined;
  }
}

export function keepTicket(ticket: string | undefined): void {
  try {
    if (ticket === undefined) sessionStorage.removeItem('board.ticket');
    else sessionStorage.setItem('board.ticket', ticket);
  } catch {
    // As above.
  }
}
