import type { Mutation } from './mutation.ts';

/** Rules of what travels in parts. */
export const PART_MUTATIONS: readonly Mutation[] = [
  {
    name: 'what acts overtakes a large message that acts',
    rule: 'Frames: call, open, publish, subscribe, unsubscribe and auth keep their order',
    file: 'src/client/kernel/link-parts.ts',
    find: 'return this.#sending.has(keepsOrder) && (keepsOrder || bytes > this.limits.partBytes);',
    replace: 'return this.#sending.has(keepsOrder) && !keepsOrder && bytes > this.limits.partBytes;',
  },
  {
    name: 'small events overtake a large one',
    rule: 'Frames: what waits of topics and streams keeps its order',
    file: 'src/server/outbound/outlet.ts',
    find: 'if (frame.hasBulk && (isLarge || held.length > 0 || this.#isFull)) held.push(frame);',
    replace: 'if (frame.hasBulk && isLarge) held.push(frame);',
  },
  {
    name: 'two frames in parts have one number',
    rule: 'Parts: s tells the frames apart that are on their way',
    file: 'src/server/outbound/outlet.ts',
    find: 'return ++this.#partsBegun;',
    replace: 'return 1;',
  },
  {
    name: 'what was partly written is held for sent',
    rule: 'Calls across sockets 4: sent again under the same name; Parts: on the next socket a frame begins anew',
    file: 'src/client/requests/resending.ts',
    find: 'if (request.on?.parts?.drop(request)) this.unsent(request);',
    replace: 'if (request.on?.parts?.drop(request)) this.forget(request);',
  },
  {
    name: 'what was begun on a socket that was left goes on there',
    rule: 'Calls across sockets 6: nothing new is sent on it',
    file: 'src/client/requests/resending.ts',
    find: 'this.live?.parts?.dropAll();',
    replace: '',
  },
];
