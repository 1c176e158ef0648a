import type { Codec } from '../payload.ts';
import { DEVELOPMENT } from '../development.ts';
import { checkContract } from './check-definition.ts';
import type { Procedure } from './procedure.ts';
import type { Topic } from './topic.ts';
import { parseTemplate, type TopicTemplate } from './topic-name.ts';

/** What a contract is written as: procedures and topics, in groups that may nest. */
export interface ContractTree {
  readonly [name: string]: Procedure | Topic | ContractTree;
}

/** A topic with its template read. */
export interface ContractTopic extends TopicTemplate {
  readonly path: string;
  readonly definition: Topic;
}

/** Options of {@link defineContract}. */
export interface ContractOptions {
  /** How values travel. @default plain JSON */
  readonly codec?: Codec;
}

/** What client and server agree on: a plain value that tools can walk. */
export interface Contract<Tree extends ContractTree = ContractTree> {
  readonly tree: Tree;
  /** Procedures by path, `messages.send`. */
  readonly procedures: ReadonlyMap<string, Procedure>;
  /** Topics by path. */
  readonly topics: ReadonlyMap<string, ContractTopic>;
  readonly codec: Codec | undefined;
}

/**
 * Makes a contract of procedures and topics. In development everything is checked here, once.
 * @throws TypeError whose message begins with the place, `contract.messages.send`, and says what to do.
 */
export function defineContract<const Tree extends ContractTree>(
  tree: Tree,
  options: ContractOptions = {},
): Contract<Tree> {
  if (DEVELOPMENT) checkContract(tree, options.codec);
  const procedures = new Map<string, Procedure>();
  const topics = new Map<string, ContractTopic>();
  const collect = (group: ContractTree, above: string): void => {
    for (const [name, node] of Object.entries(group)) {
      const path = above + name;
      if (node.kind === 'topic') {
        const definition = node;
        topics.set(path, { ...parseTemplate(definition.template), path, definition });
      } else if (typeof node.kind === 'string') {
        procedures.set(path, node);
      } else {
        collect(node, `${path}.`);
      }
    }
  };
  collect(tree, '');
  return { tree, procedures, topics, codec: options.codec };
}
