import type { KnownCall } from './known-call.ts';

/**
 * Calls by id, in the order in which they came. The newest is held beside the map until the next one comes: a query that
 * is answered at once never gets into it.
 */
export class CallTable {
  #newest: KnownCall | undefined;
  #others: Map<number, KnownCall> | undefined;

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

  #spill(): void {
    if (this.#newest === undefined) return;
    (this.#others ??= new Map()).set(this.#newest.id, this.#newest);
    this.#newest = undefined;
  }
}
