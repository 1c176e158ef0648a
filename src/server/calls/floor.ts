import { MOST_FLOOR_EXCEPTIONS } from '../../protocol/messages.ts';

/** What is wrong with a floor besides its slots, or `undefined`: each exception is kept as long as its client. */
export function floorProblem([, ...except]: readonly number[]): string | undefined {
  return except.length > MOST_FLOOR_EXCEPTIONS
    ? `a floor with more than ${MOST_FLOOR_EXCEPTIONS} exceptions`
    : undefined;
}

/**
 * Which ids are settled at the client: all below a number, but for some. It only rises: what was settled once stays so,
 * whatever a later message says.
 */
export class Floor {
  #below = 1;
  #except: ReadonlySet<number> = new Set();

  settles(id: number): boolean {
    return id < this.#below && !this.#except.has(id);
  }

  /** Settles one id that was remembered, and with it the lower ones that are not: `known` are those that are. */
  settle(id: number, known: Iterable<number>): void {
    if (id < this.#below) {
      this.#except = new Set([...this.#except].filter((open) => open !== id));
      return;
    }
    const open = new Set(this.#except);
    for (const other of known) if (other >= this.#below && other < id) open.add(other);
    this.#except = open;
    this.#below = id + 1;
  }

  /** `false` when it is lower than before, and ignored. */
  raise(below: number, except: Iterable<number>): boolean {
    if (below < this.#below) return false;
    const open = new Set<number>();
    for (const id of except) if (id < below && !this.settles(id)) open.add(id);
    this.#except = open;
    this.#below = below;
    return true;
  }
}
