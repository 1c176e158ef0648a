/**
 * Where servers keep together who is in which room. It knows nothing of that: it holds a text for each person in a topic,
 * and whose it is to tell of them. Each step is atomic; none need be with another.
 */
export interface PresenceStore {
  /** A server that has not renewed its lease for so long is dead, and others tell that those who were on it have left, ms. */
  readonly leaseMs: number;
  /** Stores `instead`, '' for nothing, where `stored` is stored; gives what is stored then. */
  replace(topic: string, member: string, stored: string, instead: string): Promise<string>;
  /** All of a topic of whom something is stored, and what. */
  members(topic: string): Promise<ReadonlyArray<readonly [member: string, stored: string]>>;
  /**
   * Lists somebody as one whom a server answers for. Where the store has lost its lease, it lapses all the same, unless it is
   * renewed: and then it was not good.
   */
  hold(server: string, topic: string, member: string): Promise<void>;
  /** Takes him off that list. */
  release(server: string, topic: string, member: string): Promise<void>;
  /** All whom a server answers for. */
  held(server: string): Promise<ReadonlyArray<readonly [topic: string, member: string]>>;
  /** A server lives. Gives whether its lease was still good, and the store can't have lost anything since the last time. */
  renew(server: string): Promise<boolean>;
  /** Servers whose lease is over. */
  lapsed(): Promise<readonly string[]>;
  /** Forgets a server whom nobody is held by. */
  forget(server: string): Promise<void>;
}

/** What a {@link PresenceStore} must have. */
export const PRESENCE_STORE_METHODS = [
  'replace',
  'members',
  'hold',
  'release',
  'held',
  'renew',
  'lapsed',
  'forget',
] as const;
