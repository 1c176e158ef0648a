/** A change of one place. */
export interface Edit {
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
}

/** A rule of PROTOCOL.md taken out of the code: the simulation has to find it. */
export interface Mutation extends Edit {
  readonly name: string;
  /** Section of PROTOCOL.md, and what of it is gone. */
  readonly rule: string;
  /** Which worlds find it. @default those of `simulation.test.ts` */
  readonly worlds?: 'simulation.test.ts' | 'several-servers.test.ts' | 'presence.test.ts';
  /** A second place that holds the rule. */
  readonly and?: Edit;
}
