import * as CloseCode from '../../protocol/close-code.ts';
import { closeReaction } from '../../protocol/close-reaction.ts';
import type { Server } from '../../server/create-server.ts';
import type { SocketHandler } from '../../server/peers/server-socket.ts';

/** The page's socket, as what stands in its place hands it over. */
export interface MockedSocket {
  readonly url: URL;
  send(frame: string): void;
  close(code?: number, reason?: string): void;
  /** Breaks it: what is under way is lost, and the page sees 1006. */
  cut(): void;
  /** Frames that it has taken and not passed on, where it tells. */
  readonly underWay?: number;
}

interface UnderWay {
  readonly dueMs: number;
  readonly deliver: () => void;
}

/** One mocked socket and its end at the engine, with the faults that lines have. */
export class MockLine {
  readonly #socket: MockedSocket;
  readonly #over: (comesBack: boolean) => void;
  #engine: SocketHandler | undefined;
  /** Both ways in the order of sending. */
  readonly #underWay: UnderWay[] = [];
  #delayMs = 0;
  #frozen = false;
  #delivering = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #code: number | undefined;
  #ended = false;

  /** `over` is told once that it has ended, and whether its client comes back by itself. */
  constructor(socket: MockedSocket, over: (comesBack: boolean) => void = () => undefined) {
    this.#socket = socket;
    this.#over = over;
  }

  open(server: Pick<Server, 'accept'>): void {
    const { url } = this.#socket;
    this.#engine = server.accept(
      {
        // Everything arrives at once: what was left out while events gathered goes on after them.
        later: (task) => queueMicrotask(task),
        send: (frame) => this.#carry(() => this.#socket.send(frame)),
        close: (code, reason) =>
          this.#carry(() => {
            this.#code = code;
            this.#socket.close(code, reason);
          }),
      },
      { url: url.pathname + url.search },
    );
  }

  get url(): URL {
    return this.#socket.url;
  }

  /** Frames that are on their way, held back ones too. */
  get underWay(): number {
    return this.#underWay.length + (this.#socket.underWay ?? 0);
  }

  message(data: unknown): void {
    this.#carry(() => {
      if (typeof data === 'string') this.#engine?.message(data);
      else this.#engine?.binary();
    });
  }

  /** The page's end is closed, by whomever: told to the engine after what the page sent before. */
  closed(code: number): void {
    this.#carry(() => this.#end(code, this.#code !== undefined && closeReaction(this.#code) !== 'stop'));
  }

  cut(): void {
    this.#end(CloseCode.ABNORMAL, true);
    this.#socket.cut();
  }

  freeze(): void {
    this.#frozen = true;
  }

  thaw(): void {
    this.#frozen = false;
    this.#deliver();
  }

  /** Each frame from now on takes so long, ms, and none overtakes another. */
  delay(delayMs: number): void {
    this.#delayMs = delayMs;
  }

  #end(code: number, comesBack: boolean): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#underWay.length = 0;
    this.#engine?.closed(code);
    this.#over(comesBack);
  }

  #carry(deliver: () => void): void {
    if (this.#ended) return;
    const last = this.#underWay.at(-1)?.dueMs ?? 0;
    const dueMs = this.#delayMs === 0 ? last : Math.max(performance.now() + this.#delayMs, last);
    this.#underWay.push({ dueMs, deliver });
    this.#deliver();
  }

  /** What is due arrives, in order, though a delivery may make more. */
  #deliver(): void {
    if (this.#delivering) return;
    this.#delivering = true;
    try {
      for (let next = this.#next(); next !== undefined; next = this.#next()) {
        this.#underWay.shift();
        next.deliver();
      }
    } finally {
      this.#delivering = false;
    }
  }

  #next(): UnderWay | undefined {
    clearTimeout(this.#timer);
    const [next] = this.#underWay;
    if (next === undefined || this.#frozen) return undefined;
    const waitMs = Math.ceil(next.dueMs - performance.now());
    if (waitMs <= 0) return next;
    this.#timer = setTimeout(() => this.#deliver(), waitMs);
    return undefined;
  }
}
