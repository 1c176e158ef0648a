import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'vitest';

/** One step of an exchange: see test/vectors/README.md. */
export type Step =
  | { readonly socket: number; readonly client: readonly unknown[] }
  | { readonly socket: number; readonly server: readonly unknown[]; readonly unheard?: true }
  | { readonly socket: number; readonly writes: 'client' | 'server'; readonly texts: readonly string[] }
  | { readonly socket: number; readonly closes: 'server'; readonly code: number }
  | { readonly socket: number; readonly closes: 'client'; readonly code: number | '<any-but-1000>' }
  | { readonly socket: number; readonly lost: true }
  | { readonly clockMs: number }
  | ClientStep
  | ServerStep;

/** What the app does or is told at the client. */
export type ClientStep = { readonly app: 'client' } & (
  | { readonly does: 'call' | 'open'; readonly as: string; readonly path: string; readonly input?: unknown }
  | { readonly does: 'read'; readonly as: string; readonly items: number }
  | { readonly does: 'stop'; readonly as: string }
  | {
      readonly does: 'publish';
      readonly as: string;
      readonly topic: string;
      readonly params?: Params;
      readonly event: unknown;
      readonly lossy?: true;
    }
  | { readonly does: 'subscribe'; readonly as: string; readonly topic: string; readonly params?: Params }
  | { readonly does: 'unsubscribe'; readonly as: string }
  | { readonly does: 'cancel'; readonly as: string }
  | { readonly does: 'close' }
  | { readonly told: string; readonly what: readonly unknown[] }
);

/** What the app does at the server, or how often a handler ran there. */
export type ServerStep = { readonly app: 'server' } & (
  | { readonly does: 'publish'; readonly topic: string; readonly params?: Params; readonly event: unknown }
  | { readonly does: 'release'; readonly key: string }
  | { readonly does: 'restart' }
  | { readonly does: 'drain'; readonly withinMs: number }
  | { readonly ran: string; readonly times: number }
);

type Params = Readonly<Record<string, string>>;

/** A conversation of a client and a server, as data. */
export interface Exchange {
  readonly name: string;
  /** The side that alone can take part in it; both without. */
  readonly only?: 'client' | 'server';
  /** Tokens that the client's credentials function gives, one after the other, the last again and again. */
  readonly tokens?: readonly string[];
  readonly steps: readonly Step[];
}

interface File {
  readonly file: string;
  /** What placeholders are, where the harness is the one that makes them up. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly exchanges: readonly Exchange[];
}

const folder = new URL('../../vectors/exchanges/', import.meta.url);

/** All exchanges, by file. */
const files: readonly File[] = readdirSync(folder).map((file) => ({
  file,
  ...(JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Omit<File, 'file'>),
}));

/** The exchanges in which a side takes part. */
export function exchangesOf(side: 'client' | 'server'): ReadonlyArray<File & { readonly exchange: Exchange }> {
  return files.flatMap((file) =>
    file.exchanges.filter(({ only }) => only === undefined || only === side).map((exchange) => ({ ...file, exchange })),
  );
}

/**
 * What is left to compare. Either side may ping at any time, and is answered; the client may tell its floor at any
 * time: where an exchange is not about them, they are passed over.
 */
export function lines<Message extends readonly unknown[]>(
  heard: readonly Message[],
  steps: readonly Step[],
): Message[] {
  const spoken = new Set(
    steps.flatMap((step) => ('client' in step ? step.client : [])).map((message) => (message as unknown[])[0]),
  );
  return heard.filter(([name]) => name !== 'ping' && (name !== 'floor' || spoken.has('floor')));
}

const PLACEHOLDER = /^<[a-z0-9-]+>$/;
/** Texts for people, times that pass, windows that the client chooses: whatever they are, and another at each place. */
const UNBOUND: ReadonlySet<string> = new Set(['<any>', '<ms>', '<up-to>']);

/** What the placeholders of one exchange stand for: each for one value, and no two names for the same. */
export class Placeholders {
  readonly #bound = new Map<string, unknown>();
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(values: Readonly<Record<string, unknown>>) {
    this.#values = values;
  }

  /** A message to be sent: placeholders that are not bound take the value that the file gives. */
  fill(value: unknown): unknown {
    return this.#map(value, (name) => {
      if (UNBOUND.has(name)) return this.#values[name];
      if (!this.#bound.has(name)) this.#bind(name, this.#values[name]);
      return this.#bound.get(name);
    });
  }

  /** Compares what came with what was to come. Objects that the protocol may extend may have more fields. */
  expect(actual: unknown, expected: unknown): void {
    this.#match(actual, expected);
    const filled = this.#map(expected, (name) => (UNBOUND.has(name) ? expect.anything() : this.#bound.get(name)));
    expect(actual).toEqual(extendable(filled));
  }

  /** Binds what stands at the places of placeholders. */
  #match(actual: unknown, expected: unknown): void {
    if (typeof expected === 'string' && PLACEHOLDER.test(expected) && !UNBOUND.has(expected)) {
      if (!this.#bound.has(expected) && actual !== undefined) this.#bind(expected, actual);
      return;
    }
    if (typeof expected !== 'object' || expected === null || typeof actual !== 'object' || actual === null) return;
    for (const [key, part] of Object.entries(expected)) this.#match((actual as Record<string, unknown>)[key], part);
  }

  #bind(name: string, value: unknown): void {
    expect([name, value]).not.toEqual([name, undefined]);
    if (typeof value === 'string') for (const bound of this.#bound.values()) expect(bound).not.toBe(value);
    this.#bound.set(name, value);
  }

  #map(value: unknown, replace: (name: string) => unknown): unknown {
    if (typeof value === 'string' && PLACEHOLDER.test(value)) return replace(value);
    if (Array.isArray(value)) return value.map((part) => this.#map(part, replace));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, this.#map(part, replace)]));
  }
}

/** The objects of `hello`, `welcome`, `goaway`, headers and errors, to which a later version may add fields. */
function extendable(message: unknown): unknown {
  if (!Array.isArray(message)) return message;
  return message.map((slot: unknown, index) => {
    const extends_ =
      ['hello', 'welcome', 'goaway'].includes(String(message[0])) ||
      (['call', 'open'].includes(String(message[0])) && index === 3) ||
      (message[0] === 'error' && index === 2) ||
      (message[0] === 'unsubscribed' && index === 3);
    return extends_ && typeof slot === 'object' && slot !== null
      ? expect.objectContaining(slot as Record<string, unknown>)
      : slot;
  });
}
