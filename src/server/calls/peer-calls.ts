import { encodeError } from '../../protocol/encode.ts';
import type { ClientMessage } from '../../protocol/messages.ts';
import { describeAborted } from './call-memory.ts';
import type { Client } from '../clients/client.ts';
import { LARGE, type LargeMessages } from '../outbound/large-messages.ts';
import type { PeerLink } from '../peers/peer-link.ts';
import type { AnswerSocket, CallKind, KnownCall } from './known-call.ts';
import { NO_HEADERS } from './run.ts';
import type { Arrival } from './run.ts';

type CallMessage = Extract<ClientMessage, readonly ['call', ...unknown[]]>;
type PublishMessage = Extract<ClientMessage, readonly ['publish', ...unknown[]]>;

/** Whose calls they are. */
export interface CallingPeer {
  readonly client: Client;
  readonly large: LargeMessages;
}

/** The calls of one socket: what was received on it and not yet settled on it. The client's memory knows which. */
export class PeerCalls implements AnswerSocket {
  readonly #link: PeerLink;
  readonly #peer: CallingPeer;
  readonly #client: Client;
  #size = 0;

  constructor(link: PeerLink, peer: CallingPeer) {
    this.#link = link;
    this.#peer = peer;
    this.#client = peer.client;
  }

  answer(id: number, message: string, kind: CallKind): void {
    // The slot of one that has to wait is taken until it is written.
    if (message.length > LARGE) return this.#pushLarge(id, kind, message, () => this.#size--);
    this.#size--;
    this.#link.push(message, this.#size === 0 ? 'answer' : 'gathered answer');
  }

  release(): void {
    this.#size--;
  }

  /** Answers with an error an id of which nothing is remembered. */
  refuse(id: number, code: string, message: string): void {
    this.#link.push(encodeError(id, { code, message }, ''), 'answer');
    this.#link.engine.observer?.tell({ type: 'refused', code });
  }

  call(message: CallMessage, arrival: Arrival): void {
    const { bound: contract, dispatcher, observer } = this.#link.engine;
    const id = message[1];
    const bound = contract.procedures.get(message[2]);
    const kind = bound?.procedure.kind;
    if (bound === undefined || kind === undefined || kind === 'stream') {
      return this.refuse(id, 'NOT_FOUND', 'no query or mutation has this path');
    }
    const call = this.#take(id, kind, bound.key);
    if (call === undefined) return;
    observer?.follow(call, bound.path, this.#client.identity);
    const { calls, mutations, claims } = this.#client;
    const headers = message[3] ?? NO_HEADERS;
    const run = { call, calls, bound, arrival, headers, json: message[4], meta: message[5], stream: undefined };
    if (kind === 'query') dispatcher.run(run);
    else if (claims === undefined) dispatcher.run(run, mutations);
    else
      claims.take({ call, calls, idempotent: bound.procedure.idempotent, run: () => dispatcher.run(run, mutations) });
  }

  publish(message: PublishMessage, arrival: Arrival): void {
    const { hub, clientPublisher, observer } = this.#link.engine;
    const id = message[1];
    const found = hub.find(message[2]);
    if (found === undefined) {
      if (id !== 0) this.refuse(id, 'NOT_FOUND', 'no topic has this name');
      return;
    }
    const call = id === 0 ? undefined : this.#take(id, 'publish', `publish ${found.name}`);
    if (id === 0 ? this.#client.calls.isFull : call === undefined) return;
    if (call !== undefined) observer?.follow(call, found.bound.topic.path, this.#client.identity);
    const json = message[3];
    const client = this.#client;
    const publication = { client, arrival, call, found, json, meta: message[4], begun: false };
    const { claims, calls } = client;
    if (claims === undefined) return clientPublisher.publish(publication);
    const run = (): void => clientPublisher.publish(publication);
    if (call === undefined) claims.inTurn(run);
    else claims.take({ call, calls, idempotent: false, run });
  }

  /** Nobody wants the answer: settles it with what there is. */
  cancel(id: number): void {
    const { calls } = this.#client;
    const call = calls.get(id);
    if (call?.isOn(this) === true) calls.cancel(call);
  }

  /** The socket is gone, or silent from now on: its calls go on, and answer elsewhere. */
  close(): void {
    if (this.#size === 0) return;
    for (const call of this.#client.calls.all()) call.removeSocket(this);
    this.#size = 0;
  }

  /** One that the peer's side can't take is not written for ever: what acts was done. */
  #pushLarge(id: number, kind: CallKind, message: string, written?: () => void): void {
    this.#peer.large.write(String(id), message.length, (isHopeless) => {
      const code = kind === 'query' ? 'TOO_LARGE' : 'UNKNOWN_OUTCOME';
      const error = isHopeless && encodeError(id, { code, message: 'each socket was lost over its answer' }, '');
      written?.();
      this.#link.push(error || message, 'answer');
    });
  }

  /** A call to run, unless its id is known, or there is too much to do. */
  #take(id: number, kind: CallKind, key: string): KnownCall | undefined {
    const { calls } = this.#client;
    const taken = calls.take(id, kind, key, this);
    if (taken.kind === 'answered') {
      if (taken.message.length > LARGE) this.#pushLarge(id, kind, taken.message);
      else this.#link.push(taken.message, 'answer');
      return undefined;
    }
    if (taken.kind === 'joined') {
      if (!taken.again) this.#size++;
      return undefined;
    }
    this.#size++;
    const most = this.#link.engine.limits.calls;
    // Kept like any answer: a copy of the message still on its way on an older socket must not run after this.
    if (this.#size > most || taken.kind === 'refused') {
      const message = `more than ${most} calls${describeAborted(calls)}`;
      // Where servers share their memory another may have run what is not known here.
      const code = this.#client.claims === undefined || kind === 'query' ? 'RATE_LIMITED' : 'UNKNOWN_OUTCOME';
      calls.settle(taken.call, encodeError(id, { code, message }, ''));
      this.#link.engine.observer?.tell({ type: 'refused', code });
      return undefined;
    }
    return taken.call;
  }
}
