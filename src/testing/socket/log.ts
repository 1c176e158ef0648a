/** What happened, one entry after another, and waiting for it. */
export class Log {
  readonly entries: string[] = [];
  #waiting: Array<() => void> = [];

  add(entry: string): void {
    this.entries.push(entry);
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Resolves when there are so many. */
  async until(count: number): Promise<void> {
    while (this.entries.length < count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}
