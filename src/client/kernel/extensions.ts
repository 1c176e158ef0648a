import type { Announcer } from './announcer.ts';
import type { Extension } from './capability.ts';
import type { HappeningName } from './happening.ts';

/** What the capabilities in use add to one connection. */
export class Extensions {
  list: readonly Extension[] = [];
  readonly #announcer: Announcer;

  constructor(announcer: Announcer) {
    this.#announcer = announcer;
  }

  /** What one of them has, the first that has it. */
  find<Part>(pick: (extension: Extension) => Part | undefined): Part | undefined {
    for (const extension of this.list) {
      const part = pick(extension);
      if (part !== undefined) return part;
    }
    return undefined;
  }

  /** Tells each. One that throws is reported, and keeps nothing from the others. */
  each(tell: (extension: Extension) => void, report: (error: unknown) => void = this.#announcer.report): void {
    for (const extension of this.list) {
      try {
        tell(extension);
      } catch (error) {
        report(error);
      }
    }
  }

  /** Says that something happened, for whoever keeps a record. */
  note(what: HappeningName, about?: object): void {
    // What could not be noted is reported without a note of that.
    this.each((extension) => extension.noted?.(what, about), this.#announcer.tellError);
  }
}
