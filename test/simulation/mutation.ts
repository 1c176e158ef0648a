/** A change of one place. */
export interface Edit {
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
}

/** A rule of PROTOCOL.md taken out of the code: the simulation has to find it, or a test for what none of its worlds lives through. */
export interface Mutation extends Edit {
  readonly name: string;
  /** Section of PROTOCOL.md, and what of it is gone. */
  readonly rule: string;
  /** The test file that finds it, from this folder. @default `simulation.test.ts` */
  readonly foundBy?: string;
  /** A second place that holds the rule. */
  readonly and?: Edit;
}
