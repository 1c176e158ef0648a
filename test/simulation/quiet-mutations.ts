import type { Mutation } from './mutation.ts';

const CALLS = 'Calls across sockets';

/** Of rules that show in quiet, where no lost line brings another chance. */
export const QUIET_MUTATIONS: readonly Mutation[] = [
  {
    name: 'the end of a stream that was left frees no slot',
    rule: `${CALLS} 5: a slot is free when the server has settled the id, whoever still waits for it`,
    file: 'src/client/streams/stream-function.ts',
    find: "const isOther = kernel.requests.find(link, id)?.takesSlot === 'calls';",
    replace: "const isOther = kernel.requests.find(link, id)?.takesSlot !== 'streams';",
  },
  {
    name: 'an id that was left is not remembered',
    rule: `${CALLS} 5: a slot is free when the server has settled the id, whoever still waits for it`,
    file: 'src/client/requests/requests.ts',
    find: '} else if (!link.settleLeft(id)) {',
    replace: '} else if (true) {',
  },
  {
    name: 'a stream that was left goes on at the server',
    rule: `${CALLS} 4: what nobody waits for is cancelled`,
    file: 'src/client/requests/requests.ts',
    find: 'control((link) => (link === on ? encodeCancel(id) : undefined));',
    replace: 'control(() => undefined);',
  },
  {
    name: 'a failure of authenticate is taken for a refusal',
    rule: 'What a failure means: whatever else authenticate throws closes with 1011, and the client comes again',
    file: 'src/server/peers/handshake.ts',
    find: 'if (!refusesCredentials(error)) {',
    replace: 'if (!(error instanceof Error)) {',
  },
  {
    name: 'a subscription ends with a failure of the server',
    rule: 'What a failure means: who was live is asked for again',
    file: 'src/client/topics/wire-topic.ts',
    find: 'if (VERDICTS.has(error.code) || !this.audience.all.some(({ wasLive }) => wasLive)) return this.end(error);',
    replace: 'return this.end(error);',
  },
  {
    name: 'a topic that the server failed to serve is not asked for again',
    rule: 'What a failure means: who was live is asked for again',
    file: 'src/client/topics/wire-topic.ts',
    find: '    this.#owner.syncAgain(this, error);',
    replace: '',
  },
];
