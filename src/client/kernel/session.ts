import type { FlowMarks } from '../../primitives/flow-control.ts';
import * as CloseCode from '../../protocol/close-code.ts';
import { closeReaction } from '../../protocol/close-reaction.ts';
import { encodeCancel, encodeFrame, encodeHello, encodePong } from '../../protocol/encode.ts';
import type { GoAway, Welcome } from '../../protocol/messages.ts';
import { readFrame } from '../../protocol/read-frame.ts';
import { goaway, ping, pong, welcome } from '../../protocol/server-messages.ts';
import { utf8Length } from '../../protocol/utf8.ts';
import type { CloseCause, ConnectionStatus, Link, LinkUser } from '../../transport/transport.ts';
import type { Extension, Kernel, Taker } from './capability.ts';
import { newClientId } from './client-id.ts';
import { FRAME_BYTES_BEFORE_WELCOME, LinkState } from './link-state.ts';
import { RoundTrip } from './round-trip.ts';

/** A close code of ours after which the policy tries again; the server learns the reason from its text. */
const LEAVING = 4000;

/** Above this many bytes that the peer has not read, its pings are not answered. */
const UNREAD_BYTES = 4 * 1024 * 1024;

/** What a session needs of its connection. */
export interface SessionParts {
  readonly kernel: Kernel;
  readonly extensions: readonly Extension[];
  readonly flow: FlowMarks;
  /** A socket that lived this long after its welcome was stable, ms. */
  readonly stableAfterMs: number;
  readonly entered: (status: ConnectionStatus) => void;
  /** The credentials now prove another identity: nothing of the old one's may run, be answered or show. */
  readonly becameAnother: () => void;
}

/**
 * Speaks `tautline.v1` on the sockets of one connection: the greeting, who this client is, and which part takes which
 * message. It knows the messages about the connection itself; of the others their names, as they were registered.
 */
export class Session implements LinkUser {
  readonly roundTrip: RoundTrip = new RoundTrip();
  /** Times that a server welcomed us. */
  connections = 0;
  /** Name of the codec, told in the greeting. */
  codec: string | undefined;
  /** The codec that the last greeting named. */
  toldCodec: string | undefined;
  /** What the last server said, kept while there is no socket. */
  welcome: Welcome | undefined;
  /** The socket that is spoken on. */
  current: LinkState | undefined;

  readonly #parts: SessionParts;
  readonly #takers: ReadonlyMap<string, Taker>;
  /** Sockets beside the current one, of a move: one without a welcome is to succeed it, one with it is yet to answer. */
  #others: LinkState[] = [];
  #client = newClientId();
  /** Number of sockets in the life of `#client`. */
  #sockets = 0;
  #welcomedAt = 0;
  /** The last socket was taken over by another (4409), and none has been stable since. */
  #takenOver = false;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    const { kernel, extensions } = parts;
    const takes = [this.#takes, kernel.requests.takes, ...extensions.map((extension) => extension.takes ?? {})];
    this.#takers = new Map(takes.flatMap((some) => Object.entries<Taker>(some)));
  }

  get #kernel(): Kernel {
    return this.#parts.kernel;
  }

  #find(link: Link): LinkState | undefined {
    return this.current?.link === link ? this.current : this.#others.find((state) => state.link === link);
  }

  opened(link: Link, token: string | undefined): void {
    const { flow, kernel, extensions } = this.#parts;
    const state = new LinkState(link, {
      marks: flow,
      nextPing: () => this.roundTrip.ping(kernel.now()),
      room: () => kernel.outbox.flush(),
    });
    const moves = this.current?.welcome !== undefined;
    if (moves) this.#others.push(state);
    else this.current = state;
    this.roundTrip.restart();
    this.#sockets++;
    this.toldCodec = this.codec;
    const hello = this.#greeting(token);
    if (hello === undefined) {
      kernel.report(new RangeError('The token makes the greeting larger than 16 KiB: use a shorter one.'));
      link.drop(CloseCode.MALFORMED_FRAME, 'greeting too large');
      return;
    }
    link.send(hello);
    // A successor takes over when it is welcomed; until then everything is under way on the socket that serves.
    if (!moves) {
      const bytes = extensions.reduce((sum, { ride }) => sum + (ride?.(state) ?? 0), 0);
      kernel.outbox.writeRiding(state, kernel.requests.unansweredQueries(), bytes);
    }
    kernel.note('opened', { socket: this.#sockets });
  }

  /** The first frame of a socket; `undefined` when its token makes it larger than a server takes before its welcome. */
  #greeting(token: string | undefined): string | undefined {
    const { floor, lowestFloor } = this.#kernel.requests;
    // The list of ids in flight is worth its bytes only where there is room for it.
    return [floor, lowestFloor]
      .map((ids) => {
        const hello = {
          client: this.#client,
          n: this.#sockets,
          token,
          codec: this.codec,
          floor: ids,
          sdk: 'tautline-js',
        };
        return encodeFrame([encodeHello(hello)]);
      })
      .find((frame) => utf8Length(frame) <= FRAME_BYTES_BEFORE_WELCOME);
  }

  frame(link: Link, frame: string): void {
    const { messages, malformed, error, isVetted } = readFrame<readonly [string, ...unknown[]]>(frame, this.#takers);
    for (const message of messages) {
      const state = this.#find(link);
      if (state === undefined) return; // an earlier message of this frame ended the socket
      if (state.welcome !== undefined || message[0] === 'welcome')
        this.#takers.get(message[0])!.take(state, message as never, isVetted);
    }
    const state = this.#find(link);
    if (state === undefined) return;
    let problem = error?.reason;
    for (const { id, problem: what } of malformed) {
      if (id !== undefined) this.#kernel.requests.malformed(state, id, what);
      else problem ??= what;
    }
    if (problem === undefined) {
      if (state !== this.current && state.welcome !== undefined && state.isSettled) link.drop(LEAVING, 'moved');
      return;
    }
    this.#kernel.report(
      new Error(`The server sent a frame that is no tautline.v1: ${problem}. The connection is made anew.`),
    );
    link.drop(LEAVING, `unreadable frame: ${problem}`);
  }

  binary(): void {
    this.#kernel.report(new Error('The server sent a binary message: tautline.v1 has none. It was dropped.'));
  }

  probe(link: Link): void {
    const state = this.#find(link);
    if (state === undefined) return;
    this.#kernel.note('probe');
    state.say(state.ping());
  }

  moveFailed(cause: CloseCause): void {
    this.#kernel.note('move', { step: 'failed', ...cause });
  }

  unanswered(link: Link): number {
    return this.#find(link)?.unanswered ?? 0;
  }

  status(status: ConnectionStatus): void {
    this.#parts.entered(status);
  }

  lost(link: Link, cause: CloseCause): void {
    const { code } = cause;
    const state = this.#find(link);
    if (state === undefined) return;
    this.#kernel.note('lost', cause);
    const { current } = this;
    this.#let(state, closeReaction(code) === 'too-large');
    if (state !== current) {
      // The credentials of a successor prove another identity: then the socket that serves belongs to the former.
      if (state.welcome === undefined && code === CloseCode.OTHER_IDENTITY) current?.link.drop(code, cause.reason);
      return;
    }
    if (state.welcome !== undefined && this.#kernel.now() - this.#welcomedAt >= this.#parts.stableAfterMs)
      this.#takenOver = false;
    if (code === CloseCode.OTHER_IDENTITY) {
      this.#becomeAnother();
    } else if (code === CloseCode.TAKEN_OVER) {
      // Twice in a row: somebody else holds the same name (a copy of this page's memory). Take a new one.
      if (this.#takenOver) this.#rename();
      this.#takenOver = !this.#takenOver;
    }
  }

  /** The app now speaks for another identity: leaves the socket, if any, as another client. */
  changeIdentity(): void {
    for (const state of [this.current, ...this.#others]) {
      if (state === undefined) continue;
      // The server would keep them for whoever comes back, and nobody will.
      const cancels = this.#kernel.requests.streamsOn(state).map(encodeCancel);
      if (cancels.length > 0) state.say(...cancels);
      this.#let(state, false);
    }
    this.#becomeAnother();
  }

  /** The socket is gone, or as good as gone. */
  #let(state: LinkState, tooLarge: boolean): void {
    if (state === this.current) {
      this.#kernel.outbox.detach();
      this.current = this.#others.find((other) => other.welcome === undefined);
    }
    this.#others = this.#others.filter((other) => other !== state && other !== this.current);
    state.gone();
    this.#kernel.requests.lost(state, tooLarge);
    for (const { lost } of this.#parts.extensions) lost?.(state);
  }

  #becomeAnother(): void {
    this.#rename();
    this.welcome = undefined;
    this.#parts.becameAnother();
  }

  #welcomed(state: LinkState, given: Welcome): void {
    if (state.welcome !== undefined) return;
    const { kernel, extensions } = this.#parts;
    const before = this.welcome;
    if (before !== undefined && before.identity !== given.identity) {
      // Before anything that acts was sent: nothing of the former user may run as the present one.
      state.link.drop(CloseCode.OTHER_IDENTITY, 'the credentials prove another identity');
      return;
    }
    state.welcome = given;
    state.batch.frameBytes = given.limits.frameBytes;
    this.welcome = given;
    this.#welcomedAt = kernel.now();
    this.connections++;
    const resumed = before?.memory === given.memory;
    const moved = state !== this.current;
    const left = moved ? this.#move(state, resumed) : [];
    for (const { welcomed } of extensions) welcomed?.(state);
    kernel.requests.welcomed(state, given.memory, left);
    if (moved) kernel.note('move', { step: 'done', resumed });
    // Whoever was told of it, or of a call that ended, may have dropped the socket.
    if (this.current !== state) return;
    for (const { ask } of extensions) ask?.(state);
    kernel.outbox.attach(state);
    state.say(state.ping());
    const { heartbeatMs } = given;
    kernel.note('welcome', { resumed, heartbeatMs, ...given.limits });
    state.link.welcomed({ heartbeatMs, resumed });
    const retiring = this.#others.find((other) => other.welcome !== undefined);
    if (retiring !== undefined && (resumed || retiring.isSettled)) retiring.link.drop(LEAVING, 'moved');
  }

  /**
   * The successor takes over. The socket that served stays for what was sent on it, if only that one can answer it: the
   * same memory answers on the successor too. Gives those of which nothing is expected any more.
   */
  #move(successor: LinkState, resumed: boolean): readonly LinkState[] {
    const { current } = this;
    const retiring = this.#others.filter((other) => other !== successor);
    this.current = successor;
    this.#others = current === undefined ? [] : [current];
    this.roundTrip.restart();
    current?.gone();
    return resumed && current !== undefined ? [...retiring, current] : retiring;
  }

  /** The messages about the connection itself. */
  get #takes(): Readonly<Record<string, Taker>> {
    return {
      welcome: {
        ...welcome,
        take: (state, message: readonly ['welcome', Welcome]) => this.#welcomed(state, message[1]),
      },
      ping: { ...ping, take: (state, message: readonly ['ping', number]) => this.#answerPing(state, message[1]) },
      pong: {
        ...pong,
        take: (state, message: readonly ['pong', number]) => {
          this.roundTrip.pong(message[1], this.#kernel.now());
          state.pong(message[1]);
        },
      },
      goaway: {
        ...goaway,
        take: (state, message: readonly ['goaway', GoAway]) => {
          this.#kernel.note('goaway', message[1]);
          state.link.leaving(message[1]);
        },
      },
    };
  }

  #answerPing(state: LinkState, n: number): void {
    // A peer that pings and does not read gets no more answers than fit: it must not fill our memory.
    if ((state.link.bufferedAmount ?? 0) > UNREAD_BYTES) return;
    // Answered here, not by a timer: a hidden page's timers sleep, its messages arrive.
    if (state !== this.current) state.say(encodePong(n));
    else {
      state.say(encodePong(n), state.ping());
      this.#kernel.requests.tellFloor(true);
    }
  }

  #rename(): void {
    this.#client = newClientId();
    this.#sockets = 0;
  }
}
