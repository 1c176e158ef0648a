import type { StandardSchemaV1 } from '@standard-schema/spec';
import { defineContract, mutation, query, stream, topic } from '../../src/index.ts';

/** What a call asks of the simulated app. */
export interface Ask {
  /** Names the call: no two have the same. */
  readonly token: number;
  /** How the handler goes about it. */
  readonly way: Way;
  /** Time that the handler takes, before its effect and after it, ms. */
  readonly beforeMs: number;
  readonly afterMs: number;
  /** What makes it large, and its answer: see {@link ballast}. */
  readonly ballast?: string;
}

/** A text of so many units that only this token has: what was put together of parts of others is another. */
export const ballast = (token: number, units: number): string => `${String(token)}é`.repeat(units).slice(0, units);

/**
 * `plain`: does it. `deaf`: does it, whoever aborts. `hang`: waits until it is aborted. `refuse`: ends with the declared
 * error. `crash`: throws.
 */
export type Way = 'plain' | 'deaf' | 'hang' | 'refuse' | 'crash';

/** Whether the app refuses to put what it has put already. */
export const refusesAgain = (token: number): boolean => token % 2 === 0;

export interface Answer {
  readonly token: number;
  readonly user: string;
  readonly ballast?: string;
}

/** What a stream is asked for. */
export interface TailAsk {
  readonly token: number;
  /** Items, and the time between two of them, ms. */
  readonly count: number;
  readonly itemMs: number;
}

export interface TailItem extends Answer {
  /** Counts from 1. */
  readonly seq: number;
}

export interface Fact {
  /** Names the publication. */
  readonly token: number;
  readonly key: string;
  /** Counts up over the commits of a topic; 0 where nothing is committed. */
  readonly value: number;
  readonly ballast?: string;
}

export type State = Readonly<Record<string, number>>;

/** A schema of the least effort; `later` makes it asynchronous. */
function schema<Value>(is: (value: Value) => boolean, laterMs?: () => number): StandardSchemaV1<Value, Value> {
  const look = (value: unknown): StandardSchemaV1.Result<Value> =>
    typeof value === 'object' && value !== null && is(value as Value)
      ? { value: value as Value }
      : { issues: [{ message: 'is something else' }] };
  return {
    '~standard': {
      version: 1,
      vendor: 'simulation',
      validate: (value) =>
        laterMs === undefined
          ? look(value)
          : new Promise((resolve) => setTimeout(() => resolve(look(value)), laterMs())),
    },
  };
}

const ask = schema<Ask>(({ token }) => typeof token === 'number');
const answer = schema<Answer>(({ token, user }) => typeof token === 'number' && typeof user === 'string');
const isFact = ({ token, key }: Fact): boolean => typeof token === 'number' && typeof key === 'string';
const fact = schema(isFact);
const state = schema<State>(() => true);

/** Time that the asynchronous schema takes, ms. */
const slowMs = (): number => Math.floor(Math.random() * 20);

export const contract = defineContract({
  look: query({ input: ask, output: answer, errors: { REFUSED: answer } }),
  act: mutation({ input: ask, output: answer, errors: { REFUSED: answer } }),
  put: mutation({ input: ask, output: answer, errors: { REFUSED: answer }, idempotent: true }),
  tail: stream({ input: schema<TailAsk>(({ count }) => count > 0), output: schema<TailItem>(({ seq }) => seq > 0) }),
  /** Events, no state. */
  news: topic('news/{id}', { event: fact }),
  /** As news, where reading an event takes time. */
  slow: topic('slow/{id}', { event: schema(isFact, slowMs) }),
  /** A state that every event is folded into. */
  board: topic('boards/{id}', {
    event: fact,
    snapshot: state,
    apply: (before: State, { key, value }: Fact): State => ({ ...before, [key]: value }),
  }),
  /** A state that the events are not folded into. */
  shot: topic('shots/{id}', { event: fact, snapshot: state }),
  /** For one user alone. */
  own: topic('own/{id}', { event: fact }),
});

export type Tree = (typeof contract)['tree'];
export type TopicPath = 'news' | 'slow' | 'board' | 'shot' | 'own';
