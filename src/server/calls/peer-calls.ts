import { encodeError } from '../../protocol/encode.ts';
import type { ClientMessage } from '../../protocol/messages.ts';
import type { AnswerSocket, KnownCall, CallKind } from './call-memory.ts';
import type { Client } from '../clients/client.ts';
import type { Engine } from '../engine.ts';

type CallMessage = Extract<ClientMessage, readonly ['call', ...unknown[]]>;
type PublishMessage = Extract<ClientMessage, readonly ['publish', ...unknown[]]>;

const NO_HEADERS = Object.freeze({});

/** The calls of one socket: what was received on it and not yet settled on it. */
export class PeerCalls implements AnswerSocket {
  readonly #engine: Engine;
  readonly #client: Client;
  readonly #push: (message: string) => void;
  readonly #inFlight = new Map<number, KnownCall>();

  constructor(engine: Engine, client: Client, push: (message: string) => void) {
    this.#engine = engine;
    this.#client = client;
    this.#push = push;
  }

  get size(): number {
    return this.#inFlight.size;
  }

  answer(id: number, message: string): void {
    this.#inFlight.delete(id);
    this.#push(message);
  }

  release(id: number): void {
    this.#inFlight.delete(id);
  }

  /** Answers with an error an id of which nothing is remembered. */
  refuse(id: number, code: string, message: string): void {
    this.#push(encodeError(id, { code, message }, ''));
    this.#engine.observer?.tell({ type: 'refused', code });
  }

  call([, id, path, headers, json, meta]: CallMessage, context: unknown): void {
    const { bound: contract, dispatcher } = this.#engine;
    const bound = contract.procedures.get(path);
    const kind = bound?.procedure.kind;
    if (bound === undefined || kind === undefined || kind === 'stream') {
      return this.refuse(id, 'NOT_FOUND', 'no query or mutation has this path');
    }
    const call = this.#take(id, kind, `call ${path}`);
    if (call === undefined) return;
    this.#engine.observer?.follow(call, path);
    const run = { call, calls: this.#client.calls, bound, context, headers: headers ?? NO_HEADERS, json, meta };
    dispatcher.limitTime(run);
    if (kind === 'mutation') dispatcher.startInTurn(run, this.#client.mutations);
    else void dispatcher.start(run);
  }

  publish([, id, topic, json, meta]: PublishMessage, context: unknown): void {
    const { hub, publisher } = this.#engine;
    const found = hub.find(topic);
    if (found === undefined) {
      if (id !== 0) this.refuse(id, 'NOT_FOUND', 'no topic has this name');
      return;
    }
    const call = id === 0 ? undefined : this.#take(id, 'publish', `publish ${topic}`);
    if (id === 0 ? this.#client.calls.isFull : call === undefined) return;
    if (call !== undefined) this.#engine.observer?.follow(call, found.bound.topic.path);
    publisher.publishFor({ client: this.#client, context, call, found, json, meta });
  }

  /** Nobody wants the answer: settles it with what there is. */
  cancel(id: number): void {
    const call = this.#inFlight.get(id);
    if (call !== undefined) this.#client.calls.cancel(call);
  }

  /** The socket is gone, or silent from now on: its calls go on, and answer elsewhere. */
  close(): void {
    for (const call of this.#inFlight.values()) call.sockets.delete(this);
    this.#inFlight.clear();
  }

  /** A call to run, unless its id is known, or there is too much to do. */
  #take(id: number, kind: CallKind, key: string): KnownCall | undefined {
    const { calls } = this.#client;
    const taken = calls.take(id, kind, key, this);
    if (taken.kind === 'answered') {
      this.answer(id, taken.message);
      return undefined;
    }
    this.#inFlight.set(id, taken.call);
    if (taken.kind === 'joined') return undefined;
    const most = this.#engine.limits.calls;
    // Kept like any answer: a copy of the message still on its way on an older socket must not run after this.
    if (this.#inFlight.size > most || taken.kind === 'refused') {
      calls.settle(taken.call, encodeError(id, { code: 'RATE_LIMITED', message: `more than ${most} calls` }, ''));
      this.#engine.observer?.tell({ type: 'refused', code: 'RATE_LIMITED' });
      return undefined;
    }
    return taken.call;
  }
}
