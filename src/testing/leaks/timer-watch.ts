type Names = 'setTimeout' | 'setInterval' | 'clearTimeout' | 'clearInterval';
type Functions = { [Name in Names]: (...args: never[]) => unknown };

/** Timers that code outside of this package has set and that still wait, and where each was set. */
export class TimerWatch {
  readonly #waiting: Map<unknown, { readonly what: string; readonly madeAt: Error }> = new Map();
  readonly #put: Partial<Functions> = {};
  readonly #found: Partial<Functions> = {};

  /** Stands in the place of the four functions until it is disposed of. */
  constructor() {
    this.#replace('setTimeout', (set, args) => this.#set('a timeout', set, args, true));
    this.#replace('setInterval', (set, args) => this.#set('an interval', set, args, false));
    const clear = (found: (...args: never[]) => unknown, args: readonly unknown[]): unknown => {
      this.#waiting.delete(idOf(args[0]));
      return found(...(args as never[]));
    };
    this.#replace('clearTimeout', clear);
    this.#replace('clearInterval', clear);
  }

  get waiting(): Iterable<{ readonly what: string; readonly madeAt: Error }> {
    return this.#waiting.values();
  }

  /** Whoever has taken their place meanwhile, say fake timers, keeps it. */
  [Symbol.dispose](): void {
    const global = globalThis as unknown as Functions;
    for (const name of Object.keys(this.#put) as Names[]) {
      if (global[name] === this.#put[name]) global[name] = this.#found[name]!;
    }
  }

  #replace(name: Names, call: (found: (...args: never[]) => unknown, args: readonly unknown[]) => unknown): void {
    const global = globalThis as unknown as Functions;
    const found = global[name];
    this.#found[name] = found;
    // What hangs on it stays there: Node's promisified one does.
    this.#put[name] = global[name] = new Proxy(found, {
      apply: (_, self: unknown, args: readonly unknown[]) => call(found.bind(self as never), args),
    });
  }

  #set(what: string, set: (...args: never[]) => unknown, args: readonly unknown[], once: boolean): unknown {
    const [callback, ...rest] = args;
    if (typeof callback !== 'function') return set(...(args as never[]));
    const run = (...given: unknown[]): unknown => {
      if (once) this.#waiting.delete(idOf(timer));
      return (callback as (...all: unknown[]) => unknown)(...given);
    };
    const timer = set(...([run, ...rest] as never[]));
    this.#waiting.set(idOf(timer), { what, madeAt: new Error(what) });
    return timer;
  }
}

/** Node clears by the object and by the number that it becomes. */
function idOf(timer: unknown): unknown {
  return typeof timer === 'object' && timer !== null && Symbol.toPrimitive in timer ? Number(timer) : timer;
}
