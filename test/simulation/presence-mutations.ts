import type { Mutation } from './mutation.ts';

const RULE = 'Presence';
const TABLE = 'src/server/presence/presence-table.ts';
const ROOM = 'src/server/presence/presence-room.ts';
const LEASE = 'src/server/presence/presence-lease.ts';
const REGISTERS = 'src/server/presence/registers.ts';

const RULES: readonly Mutation[] = [
  {
    name: 'who loses his connection has left at once',
    rule: `${RULE}: a client without a socket has left after a time of the server's`,
    file: TABLE,
    find: 'away: () => (grace ??= deadlines.add(performance.now() + times.presenceGraceMs, end)),',
    replace: 'away: end,',
  },
  {
    name: 'who is back leaves when his time is over',
    rule: `${RULE}: unless it said so again`,
    file: TABLE,
    find: 'if (grace !== undefined) deadlines.remove(grace);',
    replace: '',
  },
  {
    name: 'who never comes back never leaves',
    rule: `${RULE}: a client without a socket has left after a time of the server's`,
    file: TABLE,
    find: 'performance.now() + times.presenceGraceMs, end)',
    replace: 'performance.now() + 3_600_000, end)',
  },
  {
    name: 'a tab that leaves takes the others with it',
    rule: `${RULE}: one for each person, with all his connections`,
    file: ROOM,
    find: 'clients?.delete(client);',
    replace: 'clients?.clear();',
  },
  {
    name: 'a server does not renew its lease',
    rule: `${RULE}: whoever is there is shown`,
    file: LEASE,
    find: 'performance.now() + store.leaseMs / RENEWALS',
    replace: 'performance.now() + store.leaseMs * RENEWALS',
  },
  {
    name: 'nobody tells of those of a dead server',
    rule: `${RULE}: a client without a socket has left after a time of the server's`,
    file: LEASE,
    find: 'if (dead !== this.name) await this.#takeOver(dead);',
    replace: 'if (dead !== this.name) await store.forget(dead);',
  },
  {
    name: 'a server forgets who is on the others',
    rule: `${RULE}: one for each person, with all his connections`,
    file: REGISTERS,
    find: "!isSameServer(of, server) && client !== '' && !isGone(of)",
    replace: '!isSameServer(of, server) && client === server && !isGone(of)',
  },
  {
    name: 'what a dead server wrote under an older name stays',
    rule: `${RULE}: a client without a socket has left after a time of the server's`,
    file: REGISTERS,
    find: 'isSameServer(dead, server) && countOf(server) <= countOf(dead)',
    replace: 'dead === server',
  },
  {
    name: 'an older word is shown',
    rule: `${RULE}: what the member is then`,
    file: REGISTERS,
    find: '(other[2] >= one[2] ? other : one)',
    replace: '(other[2] <= one[2] ? other : one)',
  },
  {
    name: 'a page says once that it is there',
    rule: `${RULE}: it says so again on every socket`,
    file: 'src/client/presence/room.ts',
    find: 'this.#told = undefined;\n    this.#isOutdated = this.#isAsking;',
    replace: '',
  },
  {
    name: 'what could not be told is not told again',
    rule: `${RULE}: an event for each change`,
    file: ROOM,
    find: 'performance.now() + AGAIN_MS',
    replace: 'performance.now() + 3_600_000',
  },
  {
    name: 'what another server stored meanwhile is not seen',
    rule: `${RULE}: an event for each change`,
    file: ROOM,
    find: "this.#known.set(id, await store.replace(topic, id, stored, hasLeft ? '' : stored));",
    replace: "this.#known.set(id, hasLeft ? await store.replace(topic, id, stored, '') : stored);",
  },
  {
    name: 'a store that was emptied stays empty',
    rule: `${RULE}: whoever is there is shown`,
    file: ROOM,
    find: 'for (const id of this.#here.keys()) this.#change(id);',
    replace: '',
  },
  {
    name: 'a store that lost its last writes is not noticed',
    rule: `${RULE}: whoever is there is shown, and nobody else`,
    file: 'src/server/brokers/redis/redis-presence-store.ts',
    find: 'return isSame && Number(wasGood) === 1;',
    replace: 'return Number(wasGood) === 1;',
  },
  {
    name: 'a renewal that failed is taken for none',
    foundBy: '../server/presence/servers.test.ts',
    rule: `${RULE}: whoever is there is shown, and nobody else`,
    file: LEASE,
    find: 'this.#isDoubted = true;',
    replace: '',
  },
  {
    name: 'a server that was taken for dead keeps its name',
    rule: `${RULE}: whoever is there is shown`,
    file: LEASE,
    find: 'this.#names++;',
    replace: '',
  },
  {
    name: 'who is not listed any more is thought to be',
    foundBy: '../server/presence/servers.test.ts',
    rule: `${RULE}: whoever is there is shown, and nobody else`,
    file: ROOM,
    find: '      this.#listed.delete(id);\n      await store.release(server, topic, id);',
    replace: '      await store.release(server, topic, id);\n      this.#listed.delete(id);',
  },
  {
    name: 'who left before the store lost that is shown until a lease is over',
    foundBy: '../server/presence/servers.test.ts',
    rule: `${RULE}: whoever is there is shown, and nobody else`,
    file: LEASE,
    find: 'await this.#adoptAll(name);',
    replace: '',
  },
];

/** Of who is where, on one server and on several. */
export const PRESENCE_MUTATIONS: readonly Mutation[] = RULES.map((rule) => ({ foundBy: 'presence.test.ts', ...rule }));
