import type { KnownCall } from './known-call.ts';

/**
 * Calls by id, in the order in which they came. The newest is held beside the map until the next one comes: a query that
 * is answered at once never gets into it.
 */
export class CallTable {
  #newest: KnownCall | undefined;
  #others: Map<number, KnownCall> | undefined;
  /** They came in the order of their ids, as the calls of a client do, but for those that it sent again. */
  #isAscending = true;
  #last = 0;

  get size(): number {
    return (this.#others?.size ?? 0) + (this.#newest === undefined ? 0 : 1);
  }

  get(id: number): KnownCall | undefined {
    return this.#newest?.id === id ? this.#newest : this.#others?.get(id);
  }

  has(id: number): boolean {
    return this.get(id) !== undefined;
  }

  add(call: KnownCall): void {
    this.#spill();
    this.#isAscending = call.id > this.#last ? this.#isAscending || this.size === 0 : this.size === 0;
    this.#last = call.id;
    this.#newest = call;
  }

  delete(id: number): void {
    if (this.#newest?.id === id) this.#newest = undefined;
    else this.#others?.delete(id);
  }

  /** Bears that calls come and go meanwhile. */
  values(): Iterable<KnownCall> {
    this.#spill();
    return this.#others?.values() ?? [];
  }

  /** Those with a lower id, and perhaps others: as few as the order in which they came allows. */
  *below(id: number): Iterable<KnownCall> {
    for (const call of this.values()) {
      if (call.id >= id && this.#isAscending) return;
      yield call;
    }
  }

  #spill(): void {
    if (this.#newest === undefined) return;
    (this.#others ??= new Map()).set(this.#newest.id, this.#newest);
    this.#newest = undefined;
  }
}
