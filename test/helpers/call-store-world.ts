import type { CallStore } from '../../src/server/index.ts';

/** What a store may be made with. */
export interface StoreBounds {
  readonly answers?: number;
  readonly answerBytes?: number;
  readonly timeoutMs?: number;
}

/** A store that is tested, and what is to be seen of it from outside. */
export interface CallStoreWorld {
  /** Ways in which it is reached. */
  readonly kinds: readonly string[];
  /** Another one, of another process as far as it knows. The test ends it. */
  storeOf(kind: string, bounds?: StoreBounds): Promise<CallStore>;
  /** Asks something, no matter what. */
  ask(): Promise<unknown>;
  stateOf(client: string, id: number): Promise<'runs' | 'answered' | 'free' | undefined>;
  /** Calls that are known. */
  ids(client: string): Promise<number[]>;
  bytes(client: string): Promise<number>;
  memoryOf(client: string): Promise<string | undefined>;
  /** How long the memory is kept. */
  leftMs(client: string): Promise<number>;
  /** Who waits for a call of the client is told to look. */
  tell(client: string): Promise<unknown>;
  /** Somebody waits for one. */
  isAwaited(client: string): Promise<boolean>;
  /** What the servers run goes on, and nobody hears of it: as far as others can tell, they are dead. */
  kill(): Promise<unknown>;
  leases(): Promise<number>;
  /** Writes what there is to the disk. */
  save(): Promise<unknown>;
  /** It loses what it has not saved, perhaps. */
  restart(): Promise<void>;
  freeze(): void | Promise<void>;
  thaw(): void;
}
