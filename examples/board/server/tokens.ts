import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { Name } from '../contract.ts';

/** Who is logged in. This board has no passwords: whoever says a name is that person. */
export const User = z.object({ id: z.string(), name: Name });
export type User = z.infer<typeof User>;

/** After this time the page fetches the next token, with its ticket. */
const TOKEN_MS = Number(process.env.TOKEN_MS ?? 60_000);
/** A token is good for so much longer: clocks differ, and a page may be slow. */
const LEEWAY_MS = 30_000;
const TICKET_MS = 12 * 3_600_000;

/** From the starter, so that a server that was started again knows its tickets. */
const key = process.env.BOARD_KEY ?? randomBytes(32).toString('hex');

const Signed = User.extend({ kind: z.enum(['token', 'ticket']), expiresAt: z.number() });
const Asked = z.union([z.object({ name: Name }), z.object({ ticket: z.string() })]);

/** The user of a token, and until when; `undefined` for what is none, or no longer. */
export function readToken(token: string | undefined): z.infer<typeof Signed> | undefined {
  return verify(token, 'token');
}

/** `POST { name }` logs in, `POST { ticket }` fetches the next token. */
export const serveTokens: RequestListener = (request, response) => {
  void text(request).then(
    (body) => {
      const asked = Asked.safeParse(parseJson(body)).data;
      const user = asked === undefined ? undefined : userOf(asked);
      response.setHeader('cache-control', 'no-store');
      if (request.method !== 'POST' || user === undefined) return response.writeHead(401).end();
      const expiresAt = Date.now() + TOKEN_MS;
      const ticket = sign({ ...user, kind: 'ticket', expiresAt: Date.now() + TICKET_MS });
      const token = sign({ ...user, kind: 'token', expiresAt: expiresAt + LEEWAY_MS });
      response.writeHead(200, { 'content-type': 'application/json' });
      return response.end(JSON.stringify({ user, ticket, token, expiresAt }));
    },
    () => response.destroy(),
  );
};

function userOf(asked: z.infer<typeof Asked>): User | undefined {
  if ('name' in asked) return { id: asked.name.toLowerCase(), name: asked.name };
  const known = verify(asked.ticket, 'ticket');
  return known && { id: known.id, name: known.name };
}

function sign(what: z.infer<typeof Signed>): string {
  const body = Buffer.from(JSON.stringify(what)).toString('base64url');
  return `${body}.${signature(body)}`;
}

function verify(signed: string | undefined, kind: 'token' | 'ticket'): z.infer<typeof Signed> | undefined {
  const [body = '', given = ''] = signed?.split('.') ?? [];
  const owed = Buffer.from(signature(body));
  if (given.length !== owed.length || !timingSafeEqual(Buffer.from(given), owed)) return undefined;
  const { data } = Signed.safeParse(parseJson(Buffer.from(body, 'base64url').toString()));
  return data?.kind === kind && data.expiresAt > Date.now() ? data : undefined;
}

function signature(body: string): string {
  return createHmac('sha256', key).update(body).digest('base64url');
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
