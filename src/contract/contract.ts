import type { Codec } from '../payload.ts';
import { checkCodec, checkName, checkProcedure, checkTopic, contractFault, isPlainObject } from './check-definition.ts';
import type { Procedure } from './procedure.ts';
import type { Topic } from './topic.ts';
import { parseTemplate, templatesClash, type TopicTemplate } from './topic-name.ts';

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
 * Makes a contract of procedures and topics. Everything is checked here, once: a malformed contract never reaches
 * the wire.
 * @throws TypeError whose message begins with the place, `contract.messages.send`, and says what to do.
 */
export function defineContract<const Tree extends ContractTree>(
  tree: Tree,
  options: ContractOptions = {},
): Contract<Tree> {
  if (options.codec !== undefined) checkCodec(options.codec);
  const procedures = new Map<string, Procedure>();
  const topics = new Map<string, ContractTopic>();
  collect({ procedures, topics, above: new Set() }, '', tree);
  return { tree, procedures, topics, codec: options.codec };
}

interface Collected {
  readonly procedures: Map<string, Procedure>;
  readonly topics: Map<string, ContractTopic>;
  /** The groups that the walk is in. */
  readonly above: Set<unknown>;
}

function collect(collected: Collected, path: string, node: unknown): void {
  const kind: unknown = isPlainObject(node) ? node.kind : undefined;
  if (path !== '' && (kind === 'query' || kind === 'mutation' || kind === 'stream')) {
    const procedure = node as Procedure;
    checkProcedure(path, procedure);
    collected.procedures.set(path, procedure);
  } else if (path !== '' && kind === 'topic') {
    collectTopic(collected.topics, path, node as Topic);
  } else {
    collectGroup(collected, path, node);
  }
}

function collectGroup(collected: Collected, path: string, group: unknown): void {
  if (!isPlainObject(group)) {
    const what = path === '' ? 'a tree' : 'a procedure, a topic or a group';
    throw contractFault(path, `this is not ${what}; use query(), mutation(), stream(), topic() or a plain object`);
  }
  if (collected.above.has(group)) throw contractFault(path, 'the group contains itself; take the cycle out');
  const names = Object.keys(group);
  if (names.length === 0) throw contractFault(path, 'the group is empty; add a procedure or a topic, or leave it out');
  collected.above.add(group);
  for (const name of names) {
    checkName(path, name);
    collect(collected, path === '' ? name : `${path}.${name}`, group[name]);
  }
  collected.above.delete(group);
}

function collectTopic(topics: Map<string, ContractTopic>, path: string, definition: Topic): void {
  checkTopic(path, definition);
  const template = readTemplate(path, definition.template);
  for (const other of topics.values()) {
    if (!templatesClash(definition.template, other.definition.template)) continue;
    throw contractFault(
      path,
      `its names '${definition.template}' can coincide with '${other.definition.template}' of contract.${other.path}; ` +
        'begin one of them with another literal',
    );
  }
  topics.set(path, { ...template, path, definition });
}

function readTemplate(path: string, template: string): TopicTemplate {
  try {
    return parseTemplate(template);
  } catch (error) {
    throw contractFault(path, (error as TypeError).message);
  }
}
