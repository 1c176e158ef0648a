import { DEVELOPMENT } from '../../development.ts';
import { Deadlines } from '../../primitives/deadlines.ts';
import { SerialQueue } from '../../primitives/serial-queue.ts';
import * as CloseCode from '../../protocol/close-code.ts';
import { closeReaction, type CloseReaction } from '../../protocol/close-reaction.ts';
import { encodeFrame, encodeHello, encodePong } from '../../protocol/encode.ts';
import type { GoAway, Welcome } from '../../protocol/messages.ts';
import { PARTS } from '../../protocol/parts.ts';
import { readFrame } from '../../protocol/read-frame.ts';
import { goaway, ping, welcome } from '../../protocol/server-messages.ts';
import { utf8Length } from '../../protocol/utf8.ts';
import { LEAVING } from '../../transport/line.ts';
import type { CloseCause, ConnectionStatus, Link, LinkUser } from '../../transport/transport.ts';
import { Announcer } from './announcer.ts';
import type { Extension } from './capability.ts';
import { newClientId } from './client-id.ts';
import { Extensions } from './extensions.ts';
import type { HappeningName } from './happening.ts';
import { FRAME_BYTES_BEFORE_WELCOME, LinkState } from './link-state.ts';
import { ANOTHER_IDENTITY } from './refusal.ts';
import type { Outbox } from '../requests/outbox.ts';
import type { Request } from '../requests/request.ts';
import type { Requests } from '../requests/requests.ts';
import type { Taker } from './taker.ts';

/** Above this many bytes that the peer has not read, its pings are not answered. */
const UNREAD_BYTES = 4 * 1024 * 1024;

/** Speaks `tautline.v1` on the sockets of one connection: greets, knows who this client is, and who takes which message. */
export abstract class Session implements LinkUser {
  abstract readonly outbox: Outbox;
  abstract readonly requests: Requests;
  readonly order: SerialQueue = new SerialQueue();
  /** Monotonic: deadlines are durations, and the wall clock jumps. */
  readonly now: () => number = () => performance.now();
  protected readonly announcer: Announcer = new Announcer((what, about) => this.note(what, about));
  /** Reports what no caller waits for. */
  readonly report: (error: unknown) => void = this.announcer.report;
  readonly deadlines: Deadlines = new Deadlines({ now: this.now, onError: this.report });
  identities = 0;
  /** Times that a server welcomed us. */
  protected connects = 0;
  /** Name of the codec, told in the greeting; and the one that the last greeting named. */
  protected codec: string | undefined;
  protected toldCodec: string | undefined;
  /** What the last server said, kept while there is no socket. */
  protected lastWelcome: Welcome | undefined;
  /** The socket that is spoken on. */
  protected present: LinkState | undefined;
  protected readonly extensions: Extensions = new Extensions(this.announcer);
  /** A socket that lived this long after its welcome was stable, ms. */
  protected abstract readonly stableAfterMs: number;

  #takers: ReadonlyMap<string, Taker> = new Map();
  /** Sockets beside the current one, of a move: one without a welcome is to succeed it, one with it is yet to answer. */
  #others: readonly LinkState[] = [];
  #client = newClientId();
  /** Number of sockets in the life of `#client`. */
  #sockets = 0;
  #welcomedAt = 0;
  /** The last socket was taken over by another (4409), and none has been stable since. */
  #takenOver = false;

  /** Takes in what the connection uses. */
  protected extend(extensions: readonly Extension[]): void {
    this.extensions.list = extensions;
    const takes = [this.#takes, this.requests.takes, ...extensions.map((extension) => extension.takes ?? {})];
    this.#takers = new Map(takes.flatMap((some) => Object.entries<Taker>(some)));
  }

  note(what: HappeningName, about?: object): void {
    this.extensions.note(what, about);
  }

  abstract entered(status: ConnectionStatus): void;

  /** Ends all that waits, after what may be dropped. */
  protected abstract endRequests(end: (request: Request) => void): void;

  #find(link: Link): LinkState | undefined {
    return this.present?.link === link ? this.present : this.#others.find((state) => state.link === link);
  }

  opened(link: Link, token: string | undefined): void {
    const state = new LinkState(link);
    state.answerCame = (id, fraction) => this.requests.find(state, id)?.progressed('output', fraction);
    const moves = this.present?.welcome !== undefined;
    if (moves) this.#others = [...this.#others, state];
    else this.present = state;
    this.extensions.each((extension) => extension.opened?.(state));
    this.#sockets++;
    this.toldCodec = this.codec;
    const { requests } = this;
    // The list of ids in flight is worth its bytes only where there is room for it.
    const hello = this.#greeting(token, requests.floor(true)) ?? this.#greeting(token, requests.floor(false));
    if (hello === undefined) {
      const what = DEVELOPMENT && 'The token makes the greeting larger than 16 KiB: use a shorter one.';
      this.report(new RangeError(what || 'token'));
      link.drop(CloseCode.MALFORMED_FRAME, 'greeting too large');
      return;
    }
    link.send(hello);
    // A successor takes over when it is welcomed; until then everything is under way on the socket that serves.
    if (!moves) {
      let bytes = 0;
      for (const extension of this.extensions.list) bytes += extension.ride?.(state) ?? 0;
      const queries = [...requests.sent.values()].filter(({ acts }) => !acts);
      this.outbox.writeRiding(state, queries, bytes);
    }
    this.note('opened', { socket: this.#sockets });
  }

  /** The first frame of a socket; `undefined` when its token makes it larger than a server takes before its welcome. */
  #greeting(token: string | undefined, floor: readonly [number, ...number[]]): string | undefined {
    const who = { client: this.#client, n: this.#sockets, token, codec: this.codec };
    const frame = encodeFrame([encodeHello({ ...who, floor, features: [PARTS], sdk: 'tautline-js' })]);
    return utf8Length(frame) <= FRAME_BYTES_BEFORE_WELCOME ? frame : undefined;
  }

  frame(link: Link, given: string): void {
    const frame = this.#find(link)?.whole(given);
    if (frame === undefined) return;
    const { messages, malformed, error, isVetted } = readFrame<readonly [string, ...unknown[]]>(frame, this.#takers);
    for (const message of messages) {
      const state = this.#find(link);
      if (state === undefined) return; // an earlier message of this frame ended the socket
      state.arrived(frame.length / messages.length);
      if (state.welcome !== undefined || message[0] === 'welcome')
        this.#takers.get(message[0])!.take(state, message as never, isVetted);
    }
    const state = this.#find(link);
    if (state === undefined) return;
    let problem = error?.reason;
    for (const { id, problem: what } of malformed) {
      if (id !== undefined) this.requests.malformed(state, id, what);
      else problem ??= what;
    }
    if (problem !== undefined) {
      const what =
        DEVELOPMENT && `The server sent a frame that is no tautline.v1: ${problem}. The connection is made anew.`;
      this.report(new Error(what || problem));
      link.drop(LEAVING, `unreadable frame: ${problem}`);
    } else if (state !== this.present && state.welcome !== undefined && state.isSettled) link.drop(LEAVING, 'moved');
  }

  binary(): void {
    const what = DEVELOPMENT && 'The server sent a binary message: tautline.v1 has none. It was dropped.';
    this.report(new Error(what || 'binary'));
  }

  probe(link: Link): void {
    this.note('probe');
    this.silent(link);
  }

  silent(link: Link): void {
    this.#find(link)?.ping();
  }

  moveFailed(cause: CloseCause): void {
    this.note('move', { step: 'failed', ...cause });
  }

  unanswered(link: Link): number {
    const state = this.#find(link);
    return state?.flow?.unanswered ?? state?.unheard ?? 0;
  }

  lost(link: Link, cause: CloseCause): void {
    const state = this.#find(link);
    if (state === undefined) return;
    const { code } = cause;
    const { present } = this;
    this.note('lost', cause);
    this.#let(state, cause.by === 'peer' ? closeReaction(code) : undefined);
    if (state !== present) {
      // The credentials of a successor prove another identity: then the socket that serves belongs to the former.
      if (state.welcome === undefined && code === CloseCode.OTHER_IDENTITY) present?.link.drop(code, cause.reason);
      return;
    }
    if (state.welcome !== undefined && this.now() - this.#welcomedAt >= this.stableAfterMs) this.#takenOver = false;
    if (code === CloseCode.OTHER_IDENTITY) this.#becomeAnother();
    else if (code === CloseCode.TAKEN_OVER && cause.by !== 'app') {
      // Not by a successor of its own. Twice in a row: somebody else holds the same name (a copy of this page's memory). Take a new one.
      if (this.#takenOver) this.#rename();
      this.#takenOver = !this.#takenOver;
    }
  }

  /** The app now speaks for another identity: leaves the socket, if any, as another client. */
  protected changeIdentity(): void {
    for (const state of [this.present, ...this.#others]) {
      if (state === undefined) continue;
      this.extensions.each((extension) => extension.leaving?.(state));
      this.#let(state);
    }
    this.#becomeAnother();
  }

  /** The socket is gone, or as good as gone. */
  #let(state: LinkState, reaction?: CloseReaction): void {
    if (state === this.present) {
      this.outbox.attach(undefined);
      this.present = this.#others.find((other) => other.welcome === undefined);
    }
    this.#others = this.#others.filter((other) => other !== state && other !== this.present);
    this.requests.lost(state, reaction);
    this.extensions.each((extension) => extension.lost?.(state));
  }

  #becomeAnother(): void {
    this.#rename();
    this.identities++;
    this.lastWelcome = undefined;
    this.endRequests((request) => request.fail('UNAUTHENTICATED', ANOTHER_IDENTITY));
    this.extensions.each((extension) => extension.becameAnother?.());
    this.announcer.emit('identity');
  }

  #welcomed(state: LinkState, given: Welcome): void {
    if (state.welcome !== undefined) return;
    const { lastWelcome } = this;
    if (lastWelcome !== undefined && lastWelcome.identity !== given.identity) {
      // Before anything that acts was sent: nothing of the former user may run as the present one.
      state.link.drop(CloseCode.OTHER_IDENTITY, 'the credentials prove another identity');
      return;
    }
    state.welcomed((this.lastWelcome = given));
    state.link.spreadMs = given.spreadMs;
    this.#welcomedAt = this.now();
    this.connects++;
    const resumed = lastWelcome?.memory === given.memory;
    const moved = state !== this.present;
    const left = moved ? this.#move(state, resumed) : [];
    this.extensions.each((extension) => extension.welcomed?.(state));
    this.requests.welcomed(state, left);
    if (moved) this.note('move', { step: 'done', resumed });
    // Whoever was told of it, or of a call that ended, may have dropped the socket.
    if (this.present !== state) return;
    this.extensions.each((extension) => extension.ask?.(state));
    this.outbox.attach(state);
    if (state.flow !== undefined) state.ping();
    const { heartbeatMs, limits } = given;
    const { frameBytes, calls, streams, items, subscriptions } = limits;
    this.note('welcome', { resumed, heartbeatMs, frameBytes, calls, streams, items, subscriptions });
    state.link.welcomed({ heartbeatMs, resumed });
    const retiring = this.#others.find((other) => other.welcome !== undefined);
    if (retiring !== undefined && (resumed || retiring.isSettled)) retiring.link.drop(LEAVING, 'moved');
  }

  /**
   * The successor takes over. The socket that served stays for what was sent on it, if only that one can answer it: the
   * same memory answers on the successor too. Gives those of which nothing is expected any more.
   */
  #move(successor: LinkState, resumed: boolean): readonly LinkState[] {
    const left = this.present!;
    const retiring = this.#others.filter((other) => other !== successor);
    this.present = successor;
    this.#others = [left];
    this.extensions.each((extension) => extension.left?.(left));
    return resumed ? [...retiring, left] : retiring;
  }

  /** The messages about the connection itself. */
  get #takes(): Readonly<Record<string, Taker>> {
    return {
      welcome: {
        ...welcome,
        take: (state, message: readonly ['welcome', Welcome]) => this.#welcomed(state, message[1]),
      },
      ping: {
        ...ping,
        // Answered here, not by a timer: a hidden page's timers sleep, its messages arrive.
        take: (state, message: readonly ['ping', number, unknown?]) => {
          state.link.spreadMs = message[2] ?? state.link.spreadMs;
          // A peer that pings and does not read gets no more answers than fit: it must not fill our memory.
          if ((state.link.bufferedAmount ?? 0) > UNREAD_BYTES) return;
          const answer = encodePong(message[1]);
          if (state !== this.present || state.flow === undefined) state.say(answer);
          else state.say(answer, state.flow.ping());
          if (state === this.present) this.requests.tellFloor(true);
        },
      },
      goaway: {
        ...goaway,
        take: (state, message: readonly ['goaway', GoAway]) => {
          const { reason, afterMs, withinMs } = message[1];
          this.note('goaway', { reason, afterMs, withinMs });
          state.link.leaving(message[1]);
        },
      },
    };
  }

  #rename(): void {
    this.#client = newClientId();
    this.#sockets = 0;
  }
}
