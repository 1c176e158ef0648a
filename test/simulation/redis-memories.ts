import {
  CLAIM,
  FLOOR,
  FORGET,
  LEASE,
  LEAVE,
  LIVES,
  OPEN_MEMORY,
  REPLACE,
} from '../../src/server/brokers/redis/call-scripts.ts';

/** What is remembered of one client. */
interface Memory {
  readonly history: string;
  readonly name: string;
  readonly identity: string;
  n: number;
  /** The highest id that was forgotten before its client had settled it. */
  forgotten: number;
  /** The floor: ids below are settled, but for those. */
  below: number;
  except: ReadonlySet<number>;
  /** By id, as the scripts write it. */
  readonly calls: Map<number, string>;
  expiresAt: number;
}

type Args = readonly string[];

/** What the scripts of the call store do inside Redis, said once more, for a Redis that is simulated. */
export class RedisMemories {
  readonly #now: () => number;
  readonly #tell: (channel: string) => void;
  /** Names that were given, and in which history. */
  readonly #names: Map<string, number>;
  #memories = new Map<string, Memory>();
  #leases = new Map<string, number>();
  #history = 1;

  constructor(now: () => number, tell: (channel: string) => void, names: Map<string, number> = new Map()) {
    this.#now = now;
    this.#tell = tell;
    this.#names = names;
  }

  /** What a script gives. */
  run(script: string, [key]: Args, args: Args): unknown {
    return this.#scripts[script]!(key!, ...args);
  }

  /** The name was given in this history. */
  knows(name: string): boolean {
    return this.#names.get(name) === this.#history;
  }

  /** A copy, as a replica has it. */
  copy(): RedisMemories {
    const copy = new RedisMemories(this.#now, this.#tell, this.#names);
    copy.#memories = structuredClone(this.#memories);
    copy.#leases = structuredClone(this.#leases);
    copy.#history = this.#history;
    return copy;
  }

  /** A replica takes the place of the first: what it has not heard of is lost, and nobody may rely on the rest. */
  begin(): void {
    this.#history++;
  }

  readonly #scripts: Readonly<Record<string, (key: string, ...args: string[]) => unknown>> = {
    [OPEN_MEMORY]: (key, identity, n, name, ms) => {
      let memory = this.#at(key);
      if (memory !== undefined) {
        if (memory.identity !== identity) return ['identity', ''];
        if (memory.n >= Number(n)) return ['older', ''];
        memory.n = Number(n);
      } else {
        const [below, forgotten, expiresAt, except, calls] = [0, 0, 0, new Set<number>(), new Map<number, string>()];
        const history = String(this.#history);
        memory = {
          history,
          name,
          identity,
          n: Number(n),
          forgotten,
          below,
          except,
          calls,
          expiresAt,
        };
        this.#memories.set(key, memory);
        this.#names.set(name, this.#history);
      }
      memory.expiresAt = this.#now() + Number(ms);
      return ['', memory.name];
    },
    [CLAIM]: (key, name, id, mine, answers, bytes, ms) => {
      const memory = this.#named(key, name);
      if (memory === undefined) return ['gone', ''];
      const known = memory.calls.get(Number(id));
      if (known !== undefined) return ['known', known];
      if (Number(id) <= memory.forgotten || isSettled(memory, Number(id))) return ['unknown', ''];
      memory.calls.set(Number(id), mine);
      trim(memory, Number(answers), Number(bytes));
      memory.expiresAt = this.#now() + Number(ms);
      return ['new', ''];
    },
    [REPLACE]: (key, name, id, stored, instead, answers, bytes, channel) => {
      const memory = this.#named(key, name);
      if (memory === undefined) return '';
      const known = memory.calls.get(Number(id));
      if (known !== stored) return known ?? '';
      if (instead === '') memory.calls.delete(Number(id));
      else memory.calls.set(Number(id), instead);
      trim(memory, Number(answers), Number(bytes));
      this.#tell(channel);
      return instead;
    },
    [FLOOR]: (key, name, below, ...given) => {
      const memory = this.#named(key, name);
      if (memory === undefined || Number(below) < memory.below) return 0;
      const except = new Set(given.map(Number));
      const open = [...except].filter((id) => !isSettled(memory, id) || memory.calls.has(id));
      memory.below = Number(below);
      memory.except = new Set(open);
      for (const id of [...memory.calls.keys()]) if (id < memory.below && !except.has(id)) memory.calls.delete(id);
      return 1;
    },
    [LEAVE]: (key, name, n, ms) => {
      const memory = this.#named(key, name);
      if (memory?.n === Number(n)) memory.expiresAt = this.#now() + Number(ms);
      return 1;
    },
    [FORGET]: (key, name, n) => {
      if (this.#named(key, name)?.n === Number(n)) this.#memories.delete(key);
      return 1;
    },
    [LEASE]: (key, ms) => {
      if (ms === '') this.#leases.delete(key);
      else this.#leases.set(key, this.#now() + Number(ms));
      return 'OK';
    },
    [LIVES]: (key) => ((this.#leases.get(key) ?? 0) > this.#now() ? 1 : 0),
  };

  #at(key: string): Memory | undefined {
    const memory = this.#memories.get(key);
    if (memory === undefined || memory.expiresAt <= this.#now()) return undefined;
    return memory.history === String(this.#history) ? memory : undefined;
  }

  #named(key: string, name: string | undefined): Memory | undefined {
    const memory = this.#at(key);
    return memory?.name === name ? memory : undefined;
  }
}

function isSettled({ below, except }: Memory, id: number): boolean {
  return id < below && !except.has(id);
}

/** Forgets answers, the oldest first, where there are too many, or too large ones. */
function trim(memory: Memory, most: number, bytes: number): void {
  const { calls } = memory;
  const answers = [...calls].filter(([, value]) => value.startsWith('a')).sort(([one], [other]) => one - other);
  let held = answers.reduce((sum, [, { length }]) => sum + length, 0);
  for (const [id, { length }] of answers) {
    if (calls.size <= most && held <= bytes) return;
    calls.delete(id);
    held -= length;
    memory.forgotten = Math.max(memory.forgotten, id);
  }
}
