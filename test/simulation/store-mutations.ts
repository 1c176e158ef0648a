import type { Mutation } from './mutation.ts';

const STORES = 'Calls across sockets 7';
const CLAIMS = 'src/server/calls/claims.ts';
const REDIS = 'src/server/brokers/redis/redis-call-store.ts';
const SCRIPTS = 'test/simulation/redis-memories.ts';

const RULES: ReadonlyArray<Omit<Mutation, 'foundBy'>> = [
  {
    name: 'calls run before they are claimed',
    rule: `${STORES}: claims are atomic`,
    file: CLAIMS,
    find: 'this.#turns.run(() => claimed.then((goOn) => goOn()));',
    replace: 'work.run();',
  },
  {
    name: 'the store hears of no answer',
    rule: `${STORES}: an id that is known is answered from there`,
    file: CLAIMS,
    find: 'this.#tell(() => this.#options.store.answer({ ...this.#requestOf(work), token, message }));',
    replace: 'void token + message;',
  },
  {
    name: 'a call whose claim failed is run',
    rule: `${STORES}: a claim that fails proves nothing`,
    file: CLAIMS,
    find: '(error: unknown) => () => this.#failed(work, error),',
    replace: '(_error: unknown) => () => work.run(),',
  },
  {
    name: 'a call of a memory that is gone is run',
    rule: `${STORES}: a store that may have lost writes changes all memory names`,
    file: CLAIMS,
    find: "} else if (claim.kind === 'gone') this.#options.gone();",
    replace: "} else if (claim.kind === 'gone') work.run();",
  },
  {
    name: 'what runs elsewhere is not waited for',
    rule: `${STORES}: an id that runs is joined`,
    file: CLAIMS,
    find: 'else this.#await(work);',
    replace: 'else calls.settle(call, unknownOutcome(call.id));',
  },
  {
    name: 'nobody looks again for what runs elsewhere',
    rule: `${STORES}: an id that runs is joined`,
    file: CLAIMS,
    find: 'timer = deadlines.add(performance.now() + LOOK_MS, look);\n      store',
    replace: 'timer = deadlines.add(performance.now() + 3_600_000, look);\n      if (call.id > 0) return;\n      store',
  },
  {
    name: 'a server remembers under a name that the store has not',
    rule: `${STORES}: a store that may have lost writes changes all memory names`,
    file: 'src/server/clients/client-directory.ts',
    find: 'if (client !== undefined && memory !== undefined && client.memory !== memory) {',
    replace: 'if (client !== undefined && memory !== undefined && memory === client.identity) {',
  },
  {
    name: 'a memory that is lost ends its client for good',
    rule: 'Close codes: 1000 says that there is nothing to come back for',
    file: 'src/server/clients/client-directory.ts',
    find: 'left?.close(COME_BACK, LOST);',
    replace: "left?.close(CloseCode.NORMAL, '');",
  },
  {
    name: 'what a dead server ran runs again',
    rule: `${STORES}: a claim lapses with its process, and is never run again`,
    file: REDIS,
    find: 'const instead = idempotent ?',
    replace: 'const instead = idempotent || id > 0 ?',
  },
  {
    name: 'every other server is taken for dead',
    rule: `${STORES}: claims name their process and lapse with it`,
    file: REDIS,
    find: 'if (Number(lives) === 1)',
    replace: 'if (Number(lives) === 2)',
  },
  {
    name: 'a server does not say that it lives',
    rule: `${STORES}: claims name their process and lapse with it`,
    file: REDIS,
    find: 'if (this.#closed) return;\n    this.connection.run(LEASE',
    replace: 'if (this.#closed || this.#claims > 0) return;\n    this.connection.run(LEASE',
  },
  {
    name: 'a history that lost writes goes on under its name',
    rule: `${STORES}: a store that may have lost writes changes all memory names`,
    file: SCRIPTS,
    find: 'this.#history++;',
    replace: 'this.#history += 0;',
  },
  {
    name: 'what the floor settled is claimed',
    rule: `${STORES}: an id that the floor settled is claimed by nobody after that`,
    file: SCRIPTS,
    find: 'if (Number(id) <= memory.forgotten || isSettled(memory, Number(id)))',
    replace: 'if (Number(id) <= memory.forgotten)',
  },
  {
    name: 'what the store had to forget is claimed',
    rule: `${STORES}: an id whose answer had to be dropped is never executed`,
    file: SCRIPTS,
    find: 'if (Number(id) <= memory.forgotten || isSettled(memory, Number(id)))',
    replace: 'if (isSettled(memory, Number(id)))',
  },
  {
    name: 'another identity is given the memory',
    rule: 'Calls across sockets 6: credentials that prove another identity never attach to a client',
    file: SCRIPTS,
    find: "if (memory.identity !== identity) return ['identity', ''];",
    replace: '',
  },
  {
    name: 'a claim takes what somebody has claimed',
    rule: `${STORES}: claims are atomic`,
    file: SCRIPTS,
    find: "if (known !== undefined) return ['known', known];",
    replace: "if (known?.startsWith('a')) return ['known', known];",
  },
];

/** What servers that remember calls together owe each other. */
export const STORE_MUTATIONS: readonly Mutation[] = RULES.map((rule) => ({
  ...rule,
  foundBy: 'several-servers.test.ts',
}));
