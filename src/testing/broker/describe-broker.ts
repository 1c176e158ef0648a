import type { Broker } from '../../server/brokers/broker.ts';
import { BROKER_CASES, HISTORY_SIZE } from './broker-cases.ts';

/** The functions of a test runner: those of vitest, jest, bun and `node:test` fit. */
export interface TestRunner {
  /** Calls `body` to name the tests of a group. */
  describe(name: string, body: () => void): unknown;
  /** Names a test, which fails when `body` rejects. */
  test(name: string, body: () => Promise<void>): unknown;
}

/** Brokers that share what is published, one a server. A broker of one process may be there twice. */
export interface BrokersUnderTest {
  readonly one: Broker;
  readonly other: Broker;
  /** Ends what the brokers stand on; they are closed by then. */
  readonly end?: (() => void | Promise<void>) | undefined;
}

/** What a broker is to be made with for a test: a history of so many events a topic. */
export interface BrokerTestOptions {
  readonly history: { readonly size: number };
}

/**
 * Tests a broker of your own: what servers rely on. `make` is called for each test; topics of an earlier one may still be
 * there. What never comes is ended by the time limit of the runner: give it a minute, as one test follows 10 000 topics.
 *
 * @example
 * import { describe, test } from 'vitest';
 * describeBroker({ describe, test }, 'natsBroker', async ({ history }) => {
 *   const [one, other] = [natsBroker({ url, history }), natsBroker({ url, history })];
 *   return { one, other };
 * });
 */
export function describeBroker(
  runner: TestRunner,
  name: string,
  make: (options: BrokerTestOptions) => BrokersUnderTest | Promise<BrokersUnderTest>,
): void {
  // Of this run: what an earlier one has left is in none of them.
  const run = Math.random().toString(36).slice(2);
  let count = 0;
  runner.describe(name, () => {
    for (const [title, check] of Object.entries(BROKER_CASES)) {
      runner.test(title, async () => {
        const { one, other, end } = await make({ history: { size: HISTORY_SIZE } });
        try {
          await check({ one, other, topic: `behaviour/${run}/${++count}` });
        } finally {
          await one.close();
          if (other !== one) await other.close();
          await end?.();
        }
      });
    }
  });
}
