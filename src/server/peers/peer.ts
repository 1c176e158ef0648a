import { json } from '../../codec/json.ts';
import type { Deadline } from '../../primitives/deadlines.ts';
import * as CloseCode from '../../protocol/close-code.ts';
import { decodeClientFrame } from '../../protocol/client-messages.ts';
import type { Decoded } from '../../protocol/read-frame.ts';
import { encodePing, encodePong } from '../../protocol/encode.ts';
import type { ClientMessage, Malformed } from '../../protocol/messages.ts';
import type { Client } from '../clients/client.ts';
import type { Engine } from '../engine.ts';
import { floorProblem } from '../calls/floor.ts';
import type { Introduction } from './handshake.ts';
import { PeerAuth } from './peer-auth.ts';
import { PeerCalls } from '../calls/peer-calls.ts';
import { PeerHeartbeat } from './peer-heartbeat.ts';
import { PeerRate } from './peer-rate.ts';
import { PeerStreams } from '../streams/peer-streams.ts';
import { PeerFollowers } from '../topics/peer-followers.ts';
import type { ServerRequest } from './server-socket.ts';

/** A peer that had no room for events or items is looked at this often, where its adapter does not tell that it drained. */
const LOOK_AGAIN_MS = 250;

/** The socket of a peer, as the peer uses it. */
export interface PeerLink {
  readonly engine: Engine;
  readonly request: ServerRequest;
  /** Bytes on their way. */
  readonly buffered: () => number;
  readonly push: (message: string, kind: 'answer' | 'bulk') => void;
  readonly close: (code: number, reason: string) => void;
}

/** A socket from its welcome on: what its messages do. */
export class Peer {
  readonly client: Client;
  readonly #link: PeerLink;
  readonly #calls: PeerCalls;
  readonly #streams: PeerStreams;
  readonly #followers: PeerFollowers;
  readonly #heartbeat: PeerHeartbeat;
  readonly #auth: PeerAuth;
  readonly #rate: PeerRate;
  /** It speaks the codec of the contract. */
  readonly #speaks: boolean;
  #context: unknown;
  #lookAgain: Deadline | undefined;
  #pings = 0;
  #closed = false;

  constructor(link: PeerLink, client: Client, { hello, credentials }: Introduction) {
    const { engine } = link;
    this.client = client;
    this.#link = link;
    this.#context = credentials.context;
    this.#speaks = (hello.codec ?? json.name) === engine.codec.name;
    this.#calls = new PeerCalls(engine, client, (message) => link.push(message, 'answer'));
    this.#streams = new PeerStreams({
      engine,
      client,
      push: (message) => link.push(message, 'bulk'),
      isCongested: () => this.#isCongested,
      fellBehind: () => this.#lookLater(),
    });
    this.#followers = this.#createFollowers();
    this.#auth = this.#createAuth(credentials.identity);
    this.#rate = new PeerRate({
      limits: engine.limits,
      isKnown: (id) => client.calls.knows(id),
      takesItems: (id, after) => client.streams.get(id)?.hasUntaken(after) === true,
      unsubscribe: (topic) => this.#followers.unsubscribe(topic),
      refuse: (message, code) => {
        link.push(message, 'answer');
        engine.observer?.tell({ type: 'refused', code });
      },
      close: link.close,
    });
    this.#heartbeat = new PeerHeartbeat({
      heartbeatMs: engine.times.heartbeatMs,
      pongTimeoutMs: engine.times.pongTimeoutMs,
      deadlines: engine.deadlines,
      buffered: link.buffered,
      ping: () => link.push(encodePing(++this.#pings), 'answer'),
      dead: () => link.close(CloseCode.TIMED_OUT, 'no sign of life'),
    });
  }

  get subscriptions(): number {
    return this.#followers.size;
  }

  /** Something was written to it. */
  sent(): void {
    this.#heartbeat.sent();
  }

  /** There may be room for events and items again. */
  drained(): void {
    this.#streams.resume();
    this.#followers.resume();
  }

  frame(data: string): void {
    this.#heartbeat.heard();
    const { frameBytes } = this.#link.engine.limits;
    // The adapter counts bytes; a text of more units than that has more bytes too.
    if (data.length <= frameBytes) this.read(decodeClientFrame(data));
    else this.#link.close(CloseCode.MESSAGE_TOO_BIG, `a frame of more than ${frameBytes} bytes`);
  }

  /** What came before a fault stands. */
  read({ messages, malformed, error }: Decoded<ClientMessage>): void {
    // Unknown messages are ignored, not free: a frame of nothing else counts as one.
    if (messages.length === 0 && malformed.length === 0) this.#rate.count();
    for (const message of messages) {
      if (this.#closed) return;
      if (this.#rate.admits(message) && !this.#closed) this.#handle(message);
    }
    for (const fault of malformed) {
      this.#rate.count();
      this.#answerMalformed(fault);
    }
    if (error !== null) this.#link.close(CloseCode.MALFORMED_FRAME, error.reason);
  }

  /** Gives back what it has; its calls go on without it. */
  close(): void {
    this.#closed = true;
    this.#calls.close();
    this.#streams.close();
    this.#followers.close();
    this.#heartbeat.close();
    this.#auth.close();
    if (this.#lookAgain !== undefined) this.#link.engine.deadlines.remove(this.#lookAgain);
  }

  #handle(message: ClientMessage): void {
    switch (message[0]) {
      case 'call':
      case 'open':
      case 'publish':
        return this.#act(message);
      case 'subscribe': {
        const [, n, topic, position] = message;
        if (this.#speaks) return this.#followers.subscribe(n, topic, position ?? undefined);
        return this.#followers.refuse(n, topic, 'BAD_PAYLOAD', this.#codecProblem);
      }
      case 'unsubscribe':
        return this.#followers.unsubscribe(message[1]);
      case 'cancel':
        if (!this.#streams.cancel(message[1])) this.#calls.cancel(message[1]);
        return;
      case 'more':
        return this.#streams.more(message[1], message[2], message[3]);
      case 'floor': {
        const [, ...floor] = message;
        const problem = floorProblem(floor);
        if (problem !== undefined) return this.#link.close(CloseCode.MALFORMED_FRAME, problem);
        return this.client.calls.raise(floor[0], floor.slice(1));
      }
      case 'auth':
        return this.#auth.take(message[1], message[2]);
      case 'ping':
        return this.#link.push(encodePong(message[1]), 'answer');
      case 'hello':
        return this.#link.close(CloseCode.MALFORMED_FRAME, 'a second hello');
      case 'pong': // was heard, as any frame is
        return;
      default:
        message satisfies never;
    }
  }

  #act(message: Extract<ClientMessage, readonly ['call' | 'open' | 'publish', ...unknown[]]>): void {
    if (!this.#speaks) {
      if (message[1] !== 0) this.#calls.refuse(message[1], 'BAD_PAYLOAD', this.#codecProblem);
    } else if (message[0] === 'call') this.#calls.call(message, this.#context);
    else if (message[0] === 'open') this.#streams.open(message, this.#context);
    else this.#calls.publish(message, this.#context);
  }

  #answerMalformed({ id, n, topic, name, problem }: Malformed): void {
    const message = `malformed ${name}: ${problem}`;
    if (n !== undefined && topic !== undefined) this.#followers.refuse(n, topic, 'BAD_REQUEST', message);
    else if (id !== undefined) this.#calls.refuse(id, 'BAD_REQUEST', message);
    else this.#link.close(CloseCode.MALFORMED_FRAME, message);
  }

  get #codecProblem(): string {
    return `the contract speaks ${this.#link.engine.codec.name}`;
  }

  get #isCongested(): boolean {
    const { engine, buffered } = this.#link;
    return buffered() > engine.limits.bufferedBytes;
  }

  #createFollowers(): PeerFollowers {
    const { engine, push } = this.#link;
    const { hub, limits, report } = engine;
    return new PeerFollowers({
      hub,
      client: this.client,
      most: limits.subscriptions,
      report,
      push: (message) => push(message, 'bulk'),
      isCongested: () => this.#isCongested,
      fellBehind: () => this.#lookLater(),
      refused: (code) => engine.observer?.tell({ type: 'refused', code }),
      context: () => this.#context,
    });
  }

  #createAuth(identity: string): PeerAuth {
    const { engine, request, push, close } = this.#link;
    return new PeerAuth({
      engine,
      request,
      identity,
      push: (message) => push(message, 'answer'),
      accepted: (context) => {
        this.#context = context;
      },
      replied: () => this.#followers.authorizeAgain(),
      otherIdentity: () => close(CloseCode.OTHER_IDENTITY, 'the credentials prove another identity'),
    });
  }

  #lookLater(): void {
    this.#lookAgain ??= this.#link.engine.deadlines.add(Date.now() + LOOK_AGAIN_MS, () => {
      this.#lookAgain = undefined;
      this.drained();
      if (this.#followers.isBehind || this.#streams.isBehind) this.#lookLater();
    });
  }
}
