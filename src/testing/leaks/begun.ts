interface Entry {
  readonly what: string;
  /** Its stack tells where. */
  readonly madeAt: Error;
  isOpen(): boolean;
}

/** What was begun and has not ended, in the order of beginning. */
export class Begun {
  readonly #entries: Set<Entry> = new Set();

  /** Gives what ends it; it may have an end of its own, too. Where none is given, it is begun here. */
  begin(what: string, isOpen: () => boolean = () => true, madeAt: Error = new Error(what)): () => void {
    const entry = { what, madeAt, isOpen };
    this.#entries.add(entry);
    return () => void this.#entries.delete(entry);
  }

  /** Each as a line of text: what, and where it was begun. */
  get open(): string[] {
    for (const entry of this.#entries) if (!entry.isOpen()) this.#entries.delete(entry);
    return [...this.#entries].map(inWords);
  }
}

/** What, and the first line of a stack outside of this package. */
export function inWords({ what, madeAt }: Pick<Entry, 'what' | 'madeAt'>): string {
  const lines = linesOf(madeAt);
  const own = ownFolder(lines);
  const place = lines.find((line) => own === undefined || !line.includes(own)) ?? 'at a place that is not known';
  return `${what}, ${place.trim()}`;
}

/** The stack leads from a file of this folder to another part of the package. */
export function isOwn(madeAt: Error): boolean {
  const lines = linesOf(madeAt);
  const own = ownFolder(lines);
  const caller = lines.find((line) => !line.includes('testing/leaks/timer-watch.'));
  return own !== undefined && caller?.includes(own) === true;
}

const linesOf = ({ stack = '' }: Error): string[] => stack.split('\n').filter((line) => /:\d+:\d+\)?$/.test(line));

const ownFolder = ([first = '']: readonly string[]): string | undefined =>
  /[^\s(@]+?(?=testing\/leaks\/)/.exec(first)?.[0];
