import { MockLine, type MockedSocket } from './mock-line.ts';

/** Lines to one server that have their faults together, those to come included. */
export class MockLines {
  readonly #lines: Set<MockLine> = new Set();
  #refuses = false;
  #frozen = false;
  #delayMs = 0;
  /** Clients that lost their line here, come back by themselves, and have not yet. */
  away = 0;

  /** Takes a socket that is about to open; `undefined` where it was refused instead. */
  connect(socket: MockedSocket): MockLine | undefined {
    if (this.#refuses) {
      if (this.away === 0) this.away = 1;
      socket.close(1006);
      return undefined;
    }
    this.away = Math.max(0, this.away - 1);
    const line: MockLine = new MockLine(socket, (comesBack) => {
      this.#lines.delete(line);
      if (comesBack) this.away++;
    });
    line.delay(this.#delayMs);
    if (this.#frozen) line.freeze();
    this.#lines.add(line);
    return line;
  }

  /** Frames that are on their way, held back ones too. */
  get underWay(): number {
    return [...this.#lines].reduce((sum, line) => sum + line.underWay, 0);
  }

  cut(): void {
    for (const line of [...this.#lines]) line.cut();
  }

  refuse(refuses: boolean): void {
    this.#refuses = refuses;
  }

  freeze(): void {
    this.#frozen = true;
    for (const line of this.#lines) line.freeze();
  }

  thaw(): void {
    this.#frozen = false;
    for (const line of [...this.#lines]) line.thaw();
  }

  /** @throws RangeError for what is no time */
  delay(delayMs: number): void {
    if (!(delayMs >= 0 && delayMs < Infinity)) throw new RangeError(`delay is ${delayMs}: give ms, 0 or more`);
    this.#delayMs = delayMs;
    for (const line of this.#lines) line.delay(delayMs);
  }

  reset(): void {
    this.refuse(false);
    this.delay(0);
    this.thaw();
    this.away = 0;
  }
}
