import { DEVELOPMENT } from '../../development.ts';
import type { CloseReaction } from '../../protocol/close-reaction.ts';
import { FRAME_BYTES_BEFORE_WELCOME, type LinkState } from '../kernel/link-state.ts';
import { HEADER_BYTES, type Outbound, type Resends } from './outbound.ts';
import type { Request } from './request.ts';

/** After so many sockets in a row were lost with a large request on its way, it is sent alone. */
const LOSSES = 2;

/** Of a window of so many calls, or more, the last eighth is for those of which few are under way. */
const SHARED_WINDOW = 128;

/**
 * The requests that were sent and have no answer, by id, and what becomes of them on another socket: those that the
 * server still knows, and those that may run twice, are sent again; of the others nobody can know.
 */
export abstract class Resending implements Resends {
  /** In the order of their ids: a map keeps the order of insertion, and ids count up. */
  readonly sent: Map<number, Request> = new Map();
  /** Sent before, and to be written again on the present socket; the one with the lowest id last. */
  protected resends: Request[] = [];
  /** The welcomed socket that is written to. */
  protected live: LinkState | undefined;
  /** Index of the one that `next` gave. */
  #next = 0;
  /** The one that goes alone; and nothing is written until the peer has taken in all through this message. */
  #alone: Request | undefined;
  #barrier = 0;

  /** The request that was sent on a socket under this id, and waits for its answer there: anything else is an answer to nobody. */
  find(link: LinkState, id: number): Request | undefined {
    const request = this.sent.get(id);
    return request?.on === link ? request : undefined;
  }

  next(link: LinkState): Request | undefined {
    const { resends } = this;
    for (let at = resends.length - 1; at >= 0; at--) {
      const request = resends[at]!;
      if (request.settled) resends.splice(at, 1);
      // A stream without a slot may wait for hours: calls pass it. What is small passes what is large.
      else if (
        (request.takesSlot !== 'streams' || link.hasFreeSlot('streams')) &&
        !link.parts?.blocks(request.acts, request.bytes + HEADER_BYTES)
      ) {
        this.#next = at;
        return request;
      }
    }
    return undefined;
  }

  holds(link: LinkState): boolean {
    const isOver = (): boolean =>
      !(this.#alone?.on === link && this.#alone.place > link.covered) &&
      link.covered >= Math.min(this.#barrier, link.batch.taken);
    if (!isOver()) return true;
    const next = this.resends.length === 0 ? undefined : this.next(link);
    if (next === undefined || !isSuspect(next) || next === this.#alone) return false;
    // What is lost from here on is lost because of it.
    this.#alone = next;
    this.#barrier = link.batch.taken;
    if (isOver()) return false;
    link.batch.flush();
    link.ping();
    return true;
  }

  isCrowd({ path, takesSlot }: Outbound, link: LinkState): boolean {
    const { calls } = link.welcome!.limits;
    if (takesSlot !== 'calls' || calls < SHARED_WINDOW || link.taken.calls < (calls * 7) / 8) return false;
    let few = calls / 16;
    for (const request of this.sent.values()) {
      if (request.path === path && request.on === link && request.takesSlot === takesSlot && --few <= 0) return true;
    }
    return false;
  }

  take(link: LinkState): void {
    const [request] = this.resends.splice(this.#next, 1);
    if (request === this.#alone) this.#barrier = link.batch.taken + 1;
  }

  /** The server has named its memory of this client. What was sent on the sockets that were left goes to this one. */
  welcomed(link: LinkState, left: readonly LinkState[]): void {
    // What is written in parts, and not wholly, has not reached anybody: it goes to this one.
    for (const request of this.sent.values()) if (request.on?.parts?.drop(request)) this.unsent(request);
    // So is a lossy publish, which is no request: nothing is said on a socket that was left.
    this.live?.parts?.dropAll();
    for (const old of left) this.#letGo(old);
    this.live = link;
    this.#resume(link);
  }

  /** The socket is gone, and what the peer said or did means this: what was sent on it goes to another. */
  lost(link: LinkState, reaction?: CloseReaction): void {
    if (this.live === link) this.live = undefined;
    this.#letGo(link, reaction);
    this.resends = [];
    if (this.live !== undefined) this.#resume(this.live);
  }

  /** Nothing of it reached anybody on its socket. */
  protected unsent(request: Request): void {
    request.on!.taken[request.takesSlot]--;
    request.on = undefined;
  }

  /** It is settled. `false` where it was not sent. */
  protected forget(request: Request): boolean {
    request.on = undefined;
    return this.sent.delete(request.id);
  }

  /** Decides for each request that was sent before and that no socket will answer. */
  #resume({ welcome }: LinkState): void {
    const memory = welcome?.memory;
    const resends: Request[] = [];
    const lost: Request[] = [];
    for (const request of this.sent.values()) {
      if (request.on !== undefined) continue;
      const isKnown = !request.acts || request.idempotent || (request.memory ?? memory) === memory;
      (isKnown ? resends : lost).push(request);
    }
    this.#alone = undefined;
    this.#barrier = 0;
    this.resends = suspectsLast(resends).reverse();
    // Last: whoever is told may drop the socket, and all of this is decided anew.
    for (const request of lost) {
      this.forget(request);
      const what = DEVELOPMENT && 'the connection was lost, and the server no longer knows whether it was done';
      request.fail('DISCONNECTED', what, {
        remedy: DEVELOPMENT && 'Look whether it took effect before asking again, or declare it idempotent.',
      });
    }
  }

  /**
   * What may have been on its way is known from what was taken in. After 1009 the largest of it is the culprit; after
   * other losses what was sent alone, because of earlier ones.
   */
  #letGo(link: LinkState, reaction?: CloseReaction): void {
    const isTooLarge = reaction === 'too-large';
    let culprit: Request | undefined;
    for (const request of this.sent.values()) {
      if (request.on !== link) continue;
      request.on = undefined;
      if (request.isTakenIn || request.place <= link.covered) {
        if (request.losses) request.losses = 0;
      } else if (isTooLarge) {
        if (request.bytes > (culprit?.bytes ?? 0)) culprit = request;
      } else if (
        reaction?.startsWith('retry') &&
        request.bytes > FRAME_BYTES_BEFORE_WELCOME &&
        lostAgain(request) >= LOSSES + 1
      )
        culprit = request;
    }
    if (culprit === undefined) return;
    this.forget(culprit);
    const why = isTooLarge
      ? 'the server closed the connection over the size of a frame'
      : 'each connection was lost over it';
    culprit.fail('TOO_LARGE', DEVELOPMENT && why, {
      outcome: culprit.acts ? 'unknown' : 'rejected',
      remedy: DEVELOPMENT && 'Send less at a time.',
    });
  }
}

/**
 * Counts a loss: anew where it came further, or less far, than the last time. In the midst of a transfer it may be by
 * chance that a line is lost where the last one was, so that takes twice as many.
 */
function lostAgain(request: Request): number {
  const at = request.place < Infinity ? Infinity : request.taken!;
  const weight = at < Infinity ? 0.5 : 1;
  const losses = at === request.lostAt ? request.losses! + weight : weight;
  request.losses = losses;
  request.lostAt = at;
  return losses;
}

function isSuspect({ losses = 0 }: Request): boolean {
  return losses >= LOSSES;
}

/** The order in which they are sent again: what is suspected goes last, and what acts keeps its place behind what acts. */
function suspectsLast(requests: Request[]): Request[] {
  const act = requests.find((request) => request.acts && isSuspect(request));
  const waits = (request: Request): boolean =>
    isSuspect(request) || (act !== undefined && request.acts && request.id > act.id);
  return [...requests.filter((request) => !waits(request)), ...requests.filter(waits)];
}
