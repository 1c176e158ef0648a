/** So many are kept before those that nobody holds are looked for. */
const FIRST_SWEEP = 64;

/** Handles of one topic that somebody holds, by name: the same one for all, without keeping any. */
export class Handles<Handle extends object> {
  readonly #byName: Map<string, WeakRef<Handle>> = new Map();
  #sweepAt = FIRST_SWEEP;

  get size(): number {
    return this.#byName.size;
  }

  get(name: string, make: () => Handle): Handle {
    const known = this.#byName.get(name)?.deref();
    if (known !== undefined) return known;
    if (this.#byName.size >= this.#sweepAt) this.#sweep();
    const handle = make();
    this.#byName.set(name, new WeakRef(handle));
    return handle;
  }

  /** The next time at twice what is left: each handle pays for a constant number of looks. */
  #sweep(): void {
    for (const [name, handle] of this.#byName) if (handle.deref() === undefined) this.#byName.delete(name);
    this.#sweepAt = Math.max(FIRST_SWEEP, this.#byName.size * 2);
  }
}
