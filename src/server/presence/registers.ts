/** One client of somebody, as a server has it. Without a name of a client: he has left, and that is yet to be told. */
export type Register = readonly [server: string, client: string, at: number, text: string];

/** Somebody, as all his clients make him. */
export interface Person {
  /** What he said last, as the wire has it. */
  readonly text: string;
  /** None: he has left. */
  readonly connections: number;
}

/** What is stored of somebody, read. */
function registersOf(stored: string): readonly Register[] {
  return stored === '' ? [] : (JSON.parse(stored) as readonly Register[]);
}

/** What a server says of its own clients, the one that spoke last at the end. */
export interface Said {
  readonly client: string;
  readonly text: string;
  /** Counts what was said of somebody, on all servers: known when it was stored. */
  at?: number;
}

/** One of the names of a server, the first of which it has from the beginning. */
export function nameOf(server: string, count: number): string {
  return `${server}.${count}`;
}

/** Both are names of one server. */
export function isSameServer(one: string, other: string): boolean {
  return one.split('.', 1)[0] === other.split('.', 1)[0];
}

/** It was written by a server that is dead by a name, under that one or one that it had before. */
function isOf(dead: string, server: string): boolean {
  return isSameServer(dead, server) && countOf(server) <= countOf(dead);
}

function countOf(server: string): number {
  return Number(server.split('.')[1]);
}

/**
 * What is to be stored when these are the clients on this server, and those of some others are gone. Who has left by that is
 * noted until it was told.
 */
export function withOwn(stored: string, server: string, said: Iterable<Said>, gone: ReadonlySet<string>): string {
  const before = registersOf(stored);
  let at = before.reduce((most, [, , each]) => Math.max(most, each), 0);
  const isGone = (of: string): boolean => [...gone].some((dead) => isOf(dead, of));
  const others = before.filter(([of, client]) => !isSameServer(of, server) && client !== '' && !isGone(of));
  const own = Array.from(said, (one): Register => [server, one.client, one.at ?? ++at, one.text]);
  const now = [...others, ...own];
  if (now.length > 0) return JSON.stringify(now);
  const person = personOf(stored);
  return person === undefined ? '' : JSON.stringify([[server, '', at, person.text]]);
}

/** Whether what is stored has the clients on this server, as they are, and no others of it. */
export function hasOwn(stored: string, server: string, clients: ReadonlyMap<string, Said>): boolean {
  const own = registersOf(stored).filter(([of, client]) => isSameServer(of, server) && client !== '');
  const isSo = ([of, client, , text]: Register): boolean => of === server && clients.get(client)?.text === text;
  return own.length === clients.size && own.every(isSo);
}

/** Notes of what was said when it was stored. */
export function noteStored(stored: string, server: string, clients: ReadonlyMap<string, Said>): void {
  for (const [of, client, at, text] of registersOf(stored)) {
    const said = of === server ? clients.get(client) : undefined;
    // He may have said something else meanwhile.
    if (said?.text === text) said.at ??= at;
  }
}

/** Somebody, as what is stored says; `undefined` where nothing is. */
export function personOf(stored: string): Person | undefined {
  const registers = registersOf(stored);
  const [first] = registers;
  if (first === undefined) return undefined;
  const last = registers.reduce((one, other) => (other[2] >= one[2] ? other : one), first);
  const clients = new Set(registers.map(([, client]) => client).filter((client) => client !== ''));
  return { text: last[3], connections: clients.size };
}

/** Whether subscribers see the same. */
export function isSame(one: Person | undefined, other: Person | undefined): boolean {
  const [was, is] = [one?.connections ?? 0, other?.connections ?? 0];
  return was === is && (is === 0 || one?.text === other?.text);
}
