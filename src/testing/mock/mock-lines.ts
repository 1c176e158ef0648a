import { MockLine, type MockedSocket } from './mock-line.ts';

/** Lines to one server that have their faults together, those to come included. */
export class MockLines {
  readonly #lines: Set<MockLine> = new Set();
  #refuses = false;
  #frozen = false;
  #delayMs = 0;
  #away = 0;
  readonly #branches: MockLines[] = [];

  /** Lines that have faults of their own besides. */
  branch(): MockLines {
    const branch = new MockLines();
    branch.#refuses = this.#refuses;
    branch.#frozen = this.#frozen;
    branch.#delayMs = this.#delayMs;
    this.#branches.push(branch);
    return branch;
  }

  /** Clients that lost their line here, come back by themselves, and have not yet. */
  get away(): number {
    return this.#branches.reduce((sum, branch) => sum + branch.away, this.#away);
  }

  /** Takes a socket that is about to open; `undefined` where it was refused instead. */
  connect(socket: MockedSocket): MockLine | undefined {
    if (this.#refuses) {
      if (this.#away === 0) this.#away = 1;
      socket.close(1006);
      return undefined;
    }
    this.#away = Math.max(0, this.#away - 1);
    const line: MockLine = new MockLine(socket, (comesBack) => {
      this.#lines.delete(line);
      if (comesBack) this.#away++;
    });
    line.delay(this.#delayMs);
    if (this.#frozen) line.freeze();
    this.#lines.add(line);
    return line;
  }

  /** Frames that are on their way, held back ones too. */
  get underWay(): number {
    return [...this.#lines, ...this.#branches].reduce((sum, each) => sum + each.underWay, 0);
  }

  /** Where the sockets lead that are open, without those of branches. */
  get urls(): URL[] {
    return [...this.#lines].map(({ url }) => url);
  }

  cut(): void {
    for (const each of [...this.#lines, ...this.#branches]) each.cut();
  }

  refuse(refuses: boolean): void {
    this.#refuses = refuses;
    for (const branch of this.#branches) branch.refuse(refuses);
  }

  freeze(): void {
    this.#frozen = true;
    for (const each of [...this.#lines, ...this.#branches]) each.freeze();
  }

  thaw(): void {
    this.#frozen = false;
    for (const each of [...this.#lines, ...this.#branches]) each.thaw();
  }

  /** @throws RangeError for what is no time */
  delay(delayMs: number): void {
    if (!(delayMs >= 0 && delayMs < Infinity)) throw new RangeError(`delay is ${delayMs}: give ms, 0 or more`);
    this.#delayMs = delayMs;
    for (const each of [...this.#lines, ...this.#branches]) each.delay(delayMs);
  }

  reset(): void {
    this.refuse(false);
    this.delay(0);
    this.thaw();
    this.#forget();
  }

  #forget(): void {
    this.#away = 0;
    for (const branch of this.#branches) branch.#forget();
  }
}
