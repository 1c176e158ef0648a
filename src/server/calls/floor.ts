import { MOST_FLOOR_EXCEPTIONS } from '../../protocol/messages.ts';

/** What is wrong with a floor besides its slots, or `undefined`: each exception is kept as long as its client. */
export function floorProblem([, ...except]: readonly number[]): string | undefined {
  return except.length > MOST_FLOOR_EXCEPTIONS
    ? `a floor with more than ${MOST_FLOOR_EXCEPTIONS} exceptions`
    : undefined;
}

/**
 * Which ids are settled at the client: all below a number, but for some. It only rises: what was settled once stays so,
 * whatever a later message says. Besides, the highest id that was forgotten here before the client had settled it: what
 * is not known up to there may have run.
 */
export class Floor {
  #below = 1;
  #except: Set<number> | undefined;
  #forgotten = 0;

  /** The client has settled it. */
  settles(id: number): boolean {
    return id < this.#below && !this.#isExcepted(id);
  }

  /** An id of which nothing is known must not run: it was settled, or it may have been forgotten. */
  bars(id: number): boolean {
    return (id < this.#below || id <= this.#forgotten) && !this.#isExcepted(id);
  }

  /** An id that was known is not known any more, and the lower ones that are not count as forgotten, too. */
  forget(id: number): void {
    this.#except?.delete(id);
    if (id >= this.#below) this.#forgotten = Math.max(this.#forgotten, id);
  }

  /** `false` when it is lower than before, and ignored. An id that `isKnown` was not forgotten. */
  raise(below: number, except: readonly number[], isKnown: (id: number) => boolean): boolean {
    if (below < this.#below) return false;
    let open: Set<number> | undefined;
    for (const id of except) if (id < below && (!this.bars(id) || isKnown(id))) (open ??= new Set()).add(id);
    this.#except = open;
    this.#below = below;
    return true;
  }

  #isExcepted(id: number): boolean {
    return this.#except?.has(id) === true;
  }
}
