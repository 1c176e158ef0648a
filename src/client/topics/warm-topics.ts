import { checkPositive } from '../kernel/check-positive.ts';
import { DEVELOPMENT } from '../../development.ts';
import type { Topic } from '../../contract/topic.ts';
import type { TopicFold } from './topic-fold.ts';

/** How long topics stay after their last listener has left. */
export interface TopicsOptions {
  /** A topic stays subscribed for so long, ms: a listener that comes back costs nothing. @default 1_000 */
  readonly lingerMs?: number | undefined;
  /**
   * The state that was folded stays for so long after that, ms: who comes back sees it at once, and only what was missed is
   * sent. @default 300_000
   */
  readonly keepMs?: number | undefined;
  /** So many such states; those that were left first go first. 0: none. @default 100 */
  readonly keep?: number | undefined;
}

/** Defaults of {@link TopicsOptions}. */
export const TOPICS_DEFAULTS: { readonly lingerMs: number; readonly keepMs: number; readonly keep: number } = {
  lingerMs: 1000,
  keepMs: 300_000,
  keep: 100,
};

/**
 * Fills in the defaults.
 * @throws RangeError for a time that is no positive number, and a `keep` that is no whole number
 */
export function resolveTopics({ lingerMs, keepMs, keep }: TopicsOptions = {}): typeof TOPICS_DEFAULTS {
  const options = {
    lingerMs: lingerMs ?? TOPICS_DEFAULTS.lingerMs,
    keepMs: keepMs ?? TOPICS_DEFAULTS.keepMs,
    keep: keep ?? TOPICS_DEFAULTS.keep,
  };
  checkPositive('topics.lingerMs', options.lingerMs);
  checkPositive('topics.keepMs', options.keepMs);
  if (Number.isSafeInteger(options.keep) && options.keep >= 0) return options;
  throw new RangeError(
    DEVELOPMENT ? `topics.keep must be a whole number, 0 or more, not ${String(options.keep)}` : 'topics.keep',
  );
}

/** States of topics that nobody listens to. No timer: what is too old is found when somebody looks, and bounded in number. */
export class WarmTopics {
  readonly #options: typeof TOPICS_DEFAULTS;
  readonly #now: () => number;
  readonly #folds = new Map<string, { readonly fold: TopicFold; readonly untilMs: number }>();

  constructor(options: typeof TOPICS_DEFAULTS, now: () => number) {
    this.#options = options;
    this.#now = now;
  }

  /** Keeps the state of a topic that is left, if there is one. */
  keep(name: string, fold: TopicFold): void {
    if (!fold.isUsable) return;
    this.#folds.set(name, { fold, untilMs: this.#now() + this.#options.keepMs });
    for (const [oldest, { untilMs }] of this.#folds) {
      if (this.#folds.size <= this.#options.keep && untilMs > this.#now()) return;
      this.#folds.delete(oldest);
    }
  }

  /** The state of the topic as this contract declares it: another one folds it otherwise. */
  get(name: string, topic: Topic): TopicFold | undefined {
    const { fold, untilMs } = this.#folds.get(name) ?? { fold: undefined, untilMs: 0 };
    return untilMs > this.#now() && fold?.topic === topic ? fold : undefined;
  }

  /** Somebody listens to it again. */
  take(name: string, topic: Topic): TopicFold | undefined {
    const fold = this.get(name, topic);
    this.#folds.delete(name);
    return fold;
  }

  clear(): void {
    this.#folds.clear();
  }
}
