import { matchTopic } from '../../contract/match-topic.ts';
import type { BoundTopic } from '../app/handlers.ts';

/** A name on the wire, read. */
export interface FoundTopic {
  readonly name: string;
  readonly bound: BoundTopic;
  readonly params: Readonly<Record<string, string>>;
}

/** Templates that begin with the same segments: how they go on after a literal, or after a parameter, and who ends here. */
interface Branch {
  readonly literals: Map<string, Branch>;
  param: Branch | undefined;
  bound: BoundTopic | undefined;
}

/** Names that are remembered with what they were read as, in each of two generations. */
const REMEMBERED = 512;

/**
 * Finds the topic of the contract that a name belongs to; no name belongs to two. Goes by the segments of the name,
 * however many topics there are, and remembers what it found: the same names come again and again.
 */
export class TopicIndex {
  readonly #root: Branch = branch();
  /** Of the longest template, in segments. */
  #depth = 0;
  #recent = new Map<string, FoundTopic>();
  #before = new Map<string, FoundTopic>();

  constructor(topics: Iterable<BoundTopic>) {
    for (const bound of topics) this.#add(bound);
  }

  /** `undefined` for a name that belongs to no topic. */
  find(name: string): FoundTopic | undefined {
    const known = this.#recent.get(name) ?? this.#again(name);
    // What the app is given is its own: it may write into it.
    return known && { name, bound: known.bound, params: { ...known.params } };
  }

  #again(name: string): FoundTopic | undefined {
    const found = this.#before.get(name) ?? match(this.#root, name, name.split('/', this.#depth + 1), 0);
    if (found === undefined) return undefined;
    if (this.#recent.size >= REMEMBERED) {
      this.#before = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(name, found);
    return found;
  }

  #add(bound: BoundTopic): void {
    let at = this.#root;
    const segments = bound.topic.definition.template.split('/');
    this.#depth = Math.max(this.#depth, segments.length);
    for (const segment of segments) {
      let next = segment.startsWith('{') ? at.param : at.literals.get(segment);
      if (next === undefined) {
        next = branch();
        if (segment.startsWith('{')) at.param = next;
        else at.literals.set(segment, next);
      }
      at = next;
    }
    at.bound = bound;
  }
}

function branch(): Branch {
  return { literals: new Map(), param: undefined, bound: undefined };
}

function match(
  { literals, param, bound }: Branch,
  name: string,
  segments: readonly string[],
  at: number,
): FoundTopic | undefined {
  const segment = segments[at];
  if (segment === undefined) {
    const params = bound && matchTopic(bound.topic.definition.template, name);
    return params && { name, bound, params };
  }
  const literal = literals.get(segment);
  const found = literal && match(literal, name, segments, at + 1);
  return found ?? (param && match(param, name, segments, at + 1));
}
