import type { Mutation } from './mutation.ts';

const RULE = 'Welcome: another identity sees nothing of what the former one asked for';

/** Of what waits for a slow reader when somebody else logs in. */
export const IDENTITY_MUTATIONS: readonly Mutation[] = [
  {
    name: 'a slow reader of a stream is given the items of who was there before',
    rule: RULE,
    file: 'src/client/streams/stream-call.ts',
    find: "if (error.code === 'ABORTED' || error.code === 'UNAUTHENTICATED') this.#items.discard({ error });",
    replace: "if (error.code === 'ABORTED') this.#items.discard({ error });",
  },
  {
    name: 'so is one of a stream that had ended',
    rule: RULE,
    file: 'src/client/streams/stream-call.ts',
    find: 'if (request?.settled === true && !this.#items.isFinished && this.#identity !== this.#parts.identities())',
    replace: 'if (request?.settled === true && !this.#items.isFinished && this.#identity < 0)',
  },
  {
    name: 'a slow loop is given the events of who was there before',
    rule: RULE,
    file: 'src/client/topic-events/event-feed.ts',
    find: "} else if (state === 'subscribing') {\n      this.#fail(this.#ofAnother());",
    replace: "} else if (state === 'subscribing') {",
  },
];
