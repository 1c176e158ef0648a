import type { ContractTopic } from '../../contract/contract.ts';
import type { Codec } from '../../payload.ts';

/** A topic with its parameters filled in. */
export interface FilledTopic {
  readonly topic: ContractTopic;
  /** Name on the wire, `rooms/42`, and as JSON. */
  readonly name: string;
  readonly nameJson: string;
  readonly codec: Codec;
}
