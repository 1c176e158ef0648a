/**
 * Turns values into payload slots of a message and back. Both sides of a contract use the same one.
 */
export interface Codec {
  /** Name by which peers tell each other what they speak; told in the handshake. */
  readonly name: string;
  /**
   * The payload slots as JSON text, without a comma before them: `json` or `json,meta`;
   * the empty string for `undefined`, which travels as an absent slot.
   * @throws TautlineError `BAD_PAYLOAD` with the path of a value that the codec would change or can't carry.
   */
  readonly encode: (value: unknown) => string;
  /**
   * The value of slots that `JSON.parse` already read; `undefined` for an absent slot.
   * Vets what it is given: a peer is not trusted. `isVetted`: nothing in it is deeper than 60 levels or has a key
   * `__proto__`, as was seen when its frame was read; a codec may spare itself a look at that.
   * @throws TautlineError `BAD_PAYLOAD`
   */
  readonly decode: (json: unknown, meta?: unknown, isVetted?: boolean) => unknown;
}
