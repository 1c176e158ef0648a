import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { createClient, type Subscription } from '../../src/index.ts';
import { scripted } from '../helpers/scripted-client.ts';
import { settle } from '../helpers/scripted-server.ts';
import {
  handle,
  SlowLoop,
  TOPICS,
  topicsOf,
  TopicServer,
  Witness,
  type TopicName,
  type TopicsClient,
} from './topic-world.ts';

const world = scripted({ timeoutMs: 3_600_000 });

const names = Object.keys(TOPICS) as TopicName[];
const name = fc.constantFrom(...names);

/** Each step that can happen between a client and its server, in any order. */
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ what: fc.constant('subscribe' as const), name }) },
  {
    weight: 3,
    arbitrary: fc.record({ what: fc.constant('loop' as const), name, buffer: fc.integer({ min: 1, max: 5 }) }),
  },
  { weight: 3, arbitrary: fc.record({ what: fc.constant('leave' as const), who: fc.nat() }) },
  {
    weight: 8,
    arbitrary: fc.record({ what: fc.constant('take' as const), who: fc.nat(), count: fc.integer({ min: 1, max: 6 }) }),
  },
  {
    weight: 12,
    arbitrary: fc.record({ what: fc.constant('publish' as const), name, count: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 8, arbitrary: fc.record({ what: fc.constant('read' as const) }) },
  {
    weight: 12,
    arbitrary: fc.record({ what: fc.constant('deliver' as const), count: fc.integer({ min: 1, max: 9 }) }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('lose' as const) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('forget' as const), name }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('cut' as const) }) },
  { weight: 4, arbitrary: fc.record({ what: fc.constant('wait' as const), ms: fc.constantFrom(2, 5, 20, 1_000) }) },
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** What listens to a server that keeps little of its history. */
class Run {
  readonly server = new TopicServer();
  readonly client: TopicsClient;
  readonly listeners: Array<{ readonly witness: Witness; readonly subscription: Subscription }> = [];
  readonly loops: SlowLoop[] = [];

  constructor(schemaMs: number) {
    this.client = createClient(topicsOf(schemaMs), world.connect());
  }

  async connect(): Promise<void> {
    const socket = await world.server.socket();
    this.server.attach(socket);
    await socket.welcome();
  }

  async step(step: Step): Promise<void> {
    const { server } = this;
    switch (step.what) {
      case 'subscribe': {
        const witness = new Witness(step.name, true);
        this.listeners.push({ witness, subscription: handle(this.client, step.name).subscribe(witness) });
        break;
      }
      case 'loop':
        this.loops.push(new SlowLoop(this.client, step.name, step.buffer));
        break;
      case 'leave':
        this.#leave(step.who);
        break;
      case 'take':
        await this.loops[step.who % this.loops.length]?.take(step.count);
        break;
      case 'publish':
        for (let index = 0; index < step.count; index++) server.publish(step.name);
        break;
      case 'read':
        server.read();
        break;
      case 'deliver':
        await server.deliver(step.count);
        break;
      case 'lose':
        server.lose();
        break;
      case 'forget':
        server.forget(step.name);
        break;
      case 'cut':
        await server.socket!.cut();
        await world.server.next();
        await this.connect();
        break;
      default:
        await vi.advanceTimersByTimeAsync(step.ms);
    }
    await settle();
  }

  #leave(who: number): void {
    const all = [...this.listeners, ...this.loops];
    const one = all[who % all.length];
    if (one instanceof SlowLoop) {
      one.leave();
      this.loops.splice(this.loops.indexOf(one), 1);
    } else if (one !== undefined) {
      one.witness.left = true;
      one.subscription.unsubscribe();
      this.listeners.splice(this.listeners.indexOf(one), 1);
    }
  }

  /** Everything arrives and everybody takes what there is; one more event shows a hole that nothing else would. */
  async rest(): Promise<void> {
    for (const topic of names) this.server.publish(topic);
    for (let round = 0; round < 60; round++) {
      this.server.read();
      await this.server.deliver(Infinity);
      for (const loop of this.loops) await loop.take(9);
      await vi.advanceTimersByTimeAsync(100);
    }
  }

  check(): void {
    const { listeners, loops, server } = this;
    for (const { witness } of [...listeners, ...loops]) witness.expectAt(server.logs[witness.name].position);
    const { counts } = server.logs;
    if (listeners.some(({ witness }) => witness.name === 'counts'))
      expect(this.client.counts().state.get()).toEqual({ at: counts.head });
    expect([...world.errors, ...loops.flatMap(({ failures }) => failures)]).toEqual([]);
  }
}

test.each([
  ['at once', 0],
  ['after a while', 3],
])(
  'listeners and slow loops that come and go in any order, with schemas that answer %s, hear everything once and in order, or a gap',
  async (_when, schemaMs) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
        world.server.sockets.length = 0;
        const run = new Run(schemaMs);
        await run.connect();
        for (const each of steps) await run.step(each);
        await run.rest();
        run.check();
        await world.connection.close();
      }),
      { numRuns: 300 },
    );
  },
  60_000,
);
