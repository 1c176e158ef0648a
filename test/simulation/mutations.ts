/** A change of one place. */
export interface Edit {
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
}

/** A rule of PROTOCOL.md taken out of the code: the simulation has to find it. */
export interface Mutation extends Edit {
  readonly name: string;
  /** Section of PROTOCOL.md, and what of it is gone. */
  readonly rule: string;
  /** A second place that holds the rule. */
  readonly and?: Edit;
}

const CALLS = 'Calls across sockets';
const POSITIONS = 'Positions';

export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'ids are not remembered',
    rule: `${CALLS} 1: an id that the server knows is answered from there, or joins the run`,
    file: 'src/server/calls/call-memory.ts',
    find: 'const known = this.#calls.get(id);',
    replace: 'const known = undefined as KnownCall | undefined;',
  },
  {
    name: 'answers are not kept',
    rule: `${CALLS} 1: the server keeps the answers of what acts`,
    file: 'src/server/calls/call-memory.ts',
    find: "if (call.kind === 'query') this.#calls.delete(call.id);",
    replace: "if (call.kind !== 'stream') this.#calls.delete(call.id);",
  },
  {
    name: 'what runs is not joined',
    rule: `${CALLS} 1: an id that runs is joined`,
    file: 'src/server/calls/call-memory.ts',
    find: 'if (known !== undefined && !known.settled) {',
    replace: 'if (known !== undefined && known.settled && known.answer === "") {',
  },
  {
    name: 'what lost its answer runs again',
    rule: `${CALLS} 1: an id whose answer the server had to drop is never executed`,
    file: 'src/server/calls/call-memory.ts',
    find: "if (known !== undefined || this.#floor.bars(id)) return { kind: 'answered'",
    replace: "if (this.#floor.bars(id)) return { kind: 'answered'",
  },
  {
    name: 'what the floor settled runs again',
    rule: `${CALLS} 1: an id that the floor settled is never executed`,
    file: 'src/server/calls/call-memory.ts',
    find: "if (known !== undefined || this.#floor.bars(id)) return { kind: 'answered'",
    replace: "if (known !== undefined) return { kind: 'answered'",
  },
  {
    name: 'the floor forgets nothing',
    rule: `${CALLS} 1, and floor: the server forgets what the client has settled`,
    file: 'src/server/calls/call-memory.ts',
    find: 'if (this.#floor.settles(call.id)) this.#forget(call);',
    replace: 'if (call.id < 0) this.#forget(call);',
  },
  {
    name: 'the floor settles its exceptions too',
    rule: 'floor: every lower id but those is settled',
    file: 'src/server/calls/floor.ts',
    find: 'return id < this.#below && !this.#isExcepted(id);',
    replace: 'return id < this.#below;',
  },
  {
    name: 'the floor names no exceptions',
    rule: 'floor: every lower id but those is settled',
    file: 'src/client/requests/requests.ts',
    find: 'return [this.#nextId, ...this.sent.keys()];',
    replace: 'return [this.#nextId];',
  },
  {
    name: 'answers go to whatever socket the client has',
    rule: `${CALLS} 2: a call is answered only on a socket on which its id was sent`,
    file: 'src/server/calls/call-memory.ts',
    find: 'const known = this.#calls.get(id);',
    replace:
      'const known = this.#calls.get(id);\n' +
      '    for (const other of this.#calls.values()) if (!other.settled) other.addSocket(socket);',
  },
  {
    name: 'what acts rides with the greeting',
    rule: `${CALLS} 3: everything that acts waits for the welcome`,
    file: 'src/client/requests/request.ts',
    find: 'return !this.acts;',
    replace: 'return true;',
  },
  {
    name: 'any number of calls ride with the greeting',
    rule: `${CALLS} 3: at most 8 calls before the welcome`,
    file: 'src/client/kernel/link-state.ts',
    find: 'const CALLS_BEFORE_WELCOME = 8;',
    replace: 'const CALLS_BEFORE_WELCOME = 256;',
  },
  {
    name: 'what follows hello is not held',
    rule: `${CALLS} 3: the server holds what follows hello, in order, until it has verified the token`,
    file: 'src/server/peers/session.ts',
    find: 'for (const decoded of held) peer.read(decoded, Date.now());',
    replace: 'for (const decoded of held.slice(1)) peer.read(decoded, Date.now());',
  },
  {
    name: 'sent under another memory, sent again',
    rule: `${CALLS} 4: under another name, what is not idempotent is not sent again`,
    file: 'src/client/requests/resending.ts',
    find: 'const isKnown = !request.acts || request.idempotent || request.memory === memory;',
    replace: 'const isKnown = true;',
  },
  {
    name: 'sent under the same memory, given up',
    rule: `${CALLS} 4: under the same name it is sent again`,
    file: 'src/client/requests/resending.ts',
    find: 'const isKnown = !request.acts || request.idempotent || request.memory === memory;',
    replace: 'const isKnown = !request.acts || request.idempotent;',
  },
  {
    name: 'idempotent ones are given up',
    rule: `${CALLS} 4: under another name, what is idempotent is sent again`,
    file: 'src/client/requests/resending.ts',
    find: 'const isKnown = !request.acts || request.idempotent || request.memory === memory;',
    replace: 'const isKnown = !request.acts || request.memory === memory;',
  },
  {
    name: 're-sent, highest id first',
    rule: `${CALLS} 4: lowest id first`,
    file: 'src/client/requests/resending.ts',
    find: 'this.resends = resends.reverse();',
    replace: 'this.resends = resends;',
  },
  {
    name: 're-sent after new ones',
    rule: `${CALLS} 4: re-sent before new ones`,
    file: 'src/client/requests/outbox.ts',
    find: 'const entry = control ?? resend ?? this.#unparked(link) ?? this.next();',
    replace: 'const entry = control ?? this.#unparked(link) ?? this.next() ?? resend;',
  },
  {
    name: 'a memory keeps its name',
    rule: `welcome: a new name whenever the server remembers nothing`,
    file: 'src/server/clients/client.ts',
    find: 'readonly memory: string = randomName();',
    replace: "readonly memory: string = randomName().slice(0, 0) + 'memory';",
  },
  {
    name: 'another identity goes unnoticed by the client',
    rule: `${CALLS} 4: another identity in the welcome is as close code 4410`,
    file: 'src/client/kernel/session.ts',
    find: 'if (lastWelcome !== undefined && lastWelcome.identity !== given.identity) {',
    replace: 'if (lastWelcome !== undefined && lastWelcome.identity === "") {',
  },
  {
    name: 'the client minds no window',
    rule: `${CALLS} 5: new calls go only while all that is unsettled is below the limit`,
    file: 'src/client/kernel/link-state.ts',
    find: "return this.taken[slot] < (slot === 'calls' ? calls :",
    replace: "return this.taken[slot] < (slot === 'calls' ? (this.welcome === undefined ? calls : 1e9) :",
  },
  {
    name: 'a slot is free before the server has settled it',
    rule: `${CALLS} 5: what is cancelled takes up its slot until it is settled`,
    file: 'src/client/requests/requests.ts',
    find: 'on.left.set(id, takesSlot);',
    replace: 'on.taken[takesSlot]--;',
  },
  {
    name: 'a client may run any number of handlers',
    rule: `${CALLS} 5: the server bounds the running handlers of one client`,
    file: 'src/server/calls/call-memory.ts',
    find: 'return this.#busy >= 2 * this.#limits.calls;',
    replace: 'return this.#busy >= 200 * this.#limits.calls;',
  },
  {
    name: 'a cancelled call is settled when its handler ends',
    rule: 'cancel: the server aborts the handler and settles the id at once',
    file: 'src/server/calls/call-memory.ts',
    find: 'else this.settle(call, message);',
    replace: '',
  },
  {
    name: 'a late greeting takes the client over',
    rule: `${CALLS} 6: a hello with a lower or equal n is closed with 4409`,
    file: 'src/server/clients/client-directory.ts',
    find: 'if (client !== undefined && n <= client.n) {',
    replace: 'if (client !== undefined && n < 0) {',
  },
  {
    name: 'an older socket goes on',
    rule: `${CALLS} 6: the older socket is closed with 4409`,
    file: 'src/server/clients/client-directory.ts',
    find: 'older.retire();',
    replace: '',
  },
  {
    name: 'an older socket is left for a welcome that may be lost',
    rule: `${CALLS} 6: the older socket serves on until the newer one has said something after its welcome`,
    file: 'src/server/clients/client-directory.ts',
    find: 'else client.serving = older;',
    replace: 'else older?.retire();',
  },
  {
    name: 'another identity attaches to a client',
    rule: `${CALLS} 6: credentials that prove another identity never attach to a client`,
    file: 'src/server/clients/client-directory.ts',
    find: 'if (client !== undefined && client.identity !== identity) {',
    replace: 'if (client !== undefined && client.identity === "") {',
  },
  {
    name: 'another identity in band is let stay',
    rule: 'auth, and close code 4410: credentials that prove another identity',
    file: 'src/server/peers/peer-auth.ts',
    find: 'if (credentials?.identity !== identity) return this.#peer.otherIdentity();',
    replace: 'if (identity === "") return this.#peer.otherIdentity();',
  },
  {
    name: 'a client that left for good is remembered',
    rule: `${CALLS} 7: a client that closed with 1000 is forgotten at once`,
    file: 'src/server/clients/client-directory.ts',
    find: 'if (code === CloseCode.NORMAL) return this.forget(client);',
    replace: '',
  },
  {
    name: 'a client without a socket is remembered for ever',
    rule: 'welcome: windowMs',
    file: 'src/server/clients/client-directory.ts',
    find: 'deadlines.add(Date.now() + windowMs, () => this.forget(client)),',
    replace: 'deadlines.add(Date.now() + windowMs, () => undefined),',
  },
  {
    name: 'an unknown end counts as rejected',
    rule: `${CALLS} 8: what an error proves`,
    file: 'src/errors.ts',
    find: "return declared || SYSTEM_CODES.slice(0, REJECTING_CODES).includes(code as SystemCode) ? 'rejected' : 'unknown';",
    replace: "return declared || SYSTEM_CODES.slice(0, 17).includes(code as SystemCode) ? 'rejected' : 'unknown';",
  },
  {
    name: 'an error speaks for a run under another memory',
    rule: `${CALLS} 8: an error of a call that was sent under another memory before leaves it unknown`,
    file: 'src/client/calls/read-call-error.ts',
    find: "outcome: mayHaveRun ? 'unknown' : outcomeOfServerCode(code, schema !== undefined),",
    replace: 'outcome: outcomeOfServerCode(code, schema !== undefined),',
  },
  {
    name: 'what was sent counts as not sent',
    rule: `${CALLS} 8: what an error proves`,
    file: 'src/client/requests/request.ts',
    find: "const outcome: Outcome = this.id === 0 ? 'not-sent' : 'unknown';",
    replace: "const outcome: Outcome = 'not-sent';",
  },
  {
    name: 'events at or below the offset are taken',
    rule: `${POSITIONS}: the client drops an event at or below its offset`,
    file: 'src/client/topics/wire-topic.ts',
    find: 'from === undefined || offset <= from[1]) return;',
    replace: 'from === undefined) return;',
    and: {
      file: 'src/client/topics/subscription.ts',
      find: 'if (!isNext(this.#heard, position)) return;',
      replace: 'if (this.#heard === undefined) return;',
    },
  },
  {
    name: 'a hole is not healed',
    rule: `${POSITIONS}: when it sees a hole it subscribes again from its position`,
    file: 'src/client/topics/wire-topic.ts',
    find: 'if (offset > from[1] + 1) {',
    replace: 'if (offset > from[1] + 1e9) {',
  },
  {
    name: 'a hole asks while the answer is under way',
    rule: `${POSITIONS}: while that is under way a hole asks for nothing more`,
    file: 'src/client/topics/wire-topic.ts',
    find: "if (this.#isSettled) this.#ask('lowest');",
    replace: "this.#ask('lowest');",
  },
  {
    name: 'a new epoch is not told',
    rule: `${POSITIONS}: a new epoch is told to live subscribers by an unasked gap`,
    file: 'src/server/topics/hub-topic.ts',
    find: "if (follower.state === 'live' || follower.state === 'behind') this.#begin(follower, 'gap');",
    replace: "if (follower.name === '') this.#begin(follower, 'gap');",
  },
  {
    name: 'history that does not cover is told as resumed',
    rule: `${POSITIONS}, and subscribed: gap where history does not cover the position`,
    file: 'src/server/topics/hub-topic.ts',
    find: "if (events === undefined) return this.#begin(follower, 'gap');\n      follower.begin(asked, 'resumed');",
    replace: "follower.begin(asked, 'resumed');",
  },
  {
    name: 'another epoch reads as covered',
    rule: `${POSITIONS}: an epoch names one unbroken history`,
    file: 'src/server/brokers/memory.ts',
    find: 'if (epoch !== topic.epoch || offset > topic.offset) return undefined;',
    replace: 'if (epoch === "" || offset > topic.offset) return undefined;',
  },
  {
    name: 'a topic has a position before its snapshot came',
    rule: `${POSITIONS}: a topic that declares a snapshot has no position until its snapshot came`,
    file: 'src/client/topics/wire-topic.ts',
    find: 'this.#position = this.hasSnapshot ? undefined : to;',
    replace: 'this.#position = to;',
  },
  {
    name: 'the position is taken after the state was read',
    rule: `${POSITIONS}: the server takes the position before it reads the state`,
    file: 'src/server/topics/hub-topic.ts',
    find: 'end((waiter) => this.#beginAt(waiter, position, payload));',
    replace: 'end((waiter) => this.#beginAt(waiter, this.#feed!.head, payload));',
  },
  {
    name: 'each who waits has the state read',
    rule: `${POSITIONS}: one reading is shared by all who wait`,
    file: 'src/server/topics/hub-topic.ts',
    find: 'if (this.#snapshotWaiters === undefined) this.#takeSnapshot(this.#options.snapshot, follower);',
    replace: 'if (this.#closed || true) this.#takeSnapshot(this.#options.snapshot, follower);',
  },
  {
    name: 'a subscription does not replace the one before',
    rule: 'subscribe: after the new subscribed nothing of the earlier follows',
    file: 'src/server/topics/peer-followers.ts',
    find: 'const { hub } = this.#link.engine;\n    this.unsubscribe(name);',
    replace: 'const { hub } = this.#link.engine;',
  },
  {
    name: '4410 leaves the client as it is',
    rule: 'Close codes 4410: pending calls end, positions are dropped, a new client connects',
    file: 'src/client/kernel/session.ts',
    find: 'if (code === CloseCode.OTHER_IDENTITY) this.#becomeAnother();',
    replace: 'if (code === CloseCode.OTHER_IDENTITY && this.connections < 0) this.#becomeAnother();',
  },
  {
    name: '4410 keeps the name of the client',
    rule: 'Close codes 4410: a new client connects',
    file: 'src/client/kernel/session.ts',
    find: '  #becomeAnother(): void {\n    this.#rename();',
    replace: '  #becomeAnother(): void {',
  },
  {
    name: '4410 lets pending calls go on',
    rule: 'Close codes 4410: pending calls end',
    file: 'src/client/kernel/session.ts',
    find: "this.endRequests((request) => request.fail('UNAUTHENTICATED', 'the connection now belongs to another identity'));",
    replace: '',
  },
  {
    name: '4410 keeps positions and states',
    rule: 'Close codes 4410: topic states and positions are dropped',
    file: 'src/client/kernel/session.ts',
    find: 'this.extensions.each((extension) => extension.becameAnother?.());',
    replace: '',
  },
  {
    name: 'a second 4409 keeps the name of the client',
    rule: 'Close codes 4409: the second time within a short while, with a new client',
    file: 'src/client/kernel/session.ts',
    find: 'if (this.#takenOver) this.#rename();',
    replace: '',
  },
];
