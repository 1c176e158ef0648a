import { DEVELOPMENT } from '../../development.ts';
import type { LinkState } from '../kernel/link-state.ts';
import type { Outbound, Resends } from './outbox.ts';
import type { Request } from './request.ts';

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

  /** The request that was sent on a socket under this id, and waits for its answer there: anything else is an answer to nobody. */
  find(link: LinkState, id: number): Request | undefined {
    const request = this.sent.get(id);
    return request?.on === link ? request : undefined;
  }

  next(link: LinkState): Outbound | undefined {
    const { resends } = this;
    for (let at = resends.length - 1; at >= 0; at--) {
      const request = resends[at]!;
      if (request.settled) resends.splice(at, 1);
      // A stream without a slot may wait for hours: calls pass it.
      else if (request.takesSlot !== 'streams' || link.hasFreeSlot('streams')) {
        this.#next = at;
        return request;
      }
    }
    return undefined;
  }

  take(): void {
    this.resends.splice(this.#next, 1);
  }

  /** The server has named its memory of this client. What was sent on the sockets that were left goes to this one. */
  welcomed(link: LinkState, left: readonly LinkState[]): void {
    for (const old of left) this.#letGo(old, false);
    this.live = link;
    this.#resume(link);
  }

  /** The socket is gone: what was sent on it goes to another. After 1009 the largest of it is the culprit. */
  lost(link: LinkState, tooLarge: boolean): void {
    if (this.live === link) this.live = undefined;
    this.#letGo(link, tooLarge);
    this.resends = [];
    if (this.live !== undefined) this.#resume(this.live);
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
      const isKnown = !request.acts || request.idempotent || request.memory === memory;
      (isKnown ? resends : lost).push(request);
    }
    this.resends = resends.reverse();
    // Last: whoever is told may drop the socket, and all of this is decided anew.
    for (const request of lost) {
      this.forget(request);
      const what = DEVELOPMENT && 'the connection was lost, and the server no longer knows whether it was done';
      request.fail('DISCONNECTED', what, {
        remedy: DEVELOPMENT && 'Look whether it took effect before asking again, or declare it idempotent.',
      });
    }
  }

  #letGo(link: LinkState, tooLarge: boolean): void {
    let largest: Request | undefined;
    for (const request of this.sent.values()) {
      if (request.on !== link) continue;
      request.on = undefined;
      if (!request.isTakenIn && request.bytes > (largest?.bytes ?? 0)) largest = request;
    }
    if (!tooLarge || largest === undefined) return;
    this.forget(largest);
    largest.fail('TOO_LARGE', DEVELOPMENT && 'the server closed the connection over the size of a frame', {
      outcome: largest.acts ? 'unknown' : 'rejected',
      remedy: DEVELOPMENT && 'Send it in parts.',
    });
  }
}
