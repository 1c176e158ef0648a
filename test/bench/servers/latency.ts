import { connect, createClient } from 'tautline';
import { order } from '../order.ts';
import { contract } from './contract.ts';
import { percentile, type Figure } from './figures.ts';
import { startNode, type NodeProcess } from './start.ts';

const ROUNDS = 9;
const EVENTS = 150;

/** One client publishes, another listens. */
interface Line {
  /** From the call of `publish` to the listener, ms. */
  time(): Promise<number>;
  close(): Promise<void>;
}

async function line(publishesAt: NodeProcess, listensAt: NodeProcess): Promise<Line> {
  const [publisher, listener] = await Promise.all(
    [publishesAt, listensAt].map(async (node) => connect(`ws://127.0.0.1:${await node.ask('port')}/ws`)),
  );
  const orders = createClient(contract, publisher!).orders();
  let heard = (): void => undefined;
  await createClient(contract, listener!)
    .orders()
    .subscribe(() => heard()).ready;
  return {
    async time() {
      const begun = performance.now();
      const arrived = new Promise<number>((resolve) => (heard = () => resolve(performance.now() - begun)));
      const [ms] = await Promise.all([arrived, orders.publish(order)]);
      return ms;
    },
    close: async () => {
      await Promise.all([publisher!.close(), listener!.close()]);
    },
  };
}

async function p50(of: Line): Promise<number> {
  const times: number[] = [];
  while (times.length < EVENTS) times.push(await of.time());
  return percentile(times, 0.5);
}

/** How much longer an event takes to another node. */
export async function latency(redis: string): Promise<readonly Figure[]> {
  const [alone, one, other] = await Promise.all([startNode({}), startNode({ redis }), startNode({ redis })]);
  const lines = await Promise.all([line(alone, alone), line(one, one), line(one, other)]);
  const rounds: Array<readonly number[]> = [];
  // The first one makes all of them warm.
  for (let round = 0; round <= ROUNDS; round++) {
    const times: number[] = [];
    for (const each of lines) times.push(await p50(each));
    if (round > 0) rounds.push(times);
  }
  await Promise.all([...lines.map((each) => each.close()), ...[alone, one, other].map((node) => node.kill())]);
  const column = (at: number): readonly number[] => rounds.map((times) => times[at]!);
  return [
    {
      title: 'an event to another node, p50 above that of one node, ms',
      rounds: rounds.map(([least, , most]) => most! - least!),
      must: 1,
    },
    { title: '– one node, in memory, p50, ms', rounds: column(0) },
    { title: '– one node, with Redis, p50, ms', rounds: column(1) },
    { title: '– another node, p50, ms', rounds: column(2) },
  ];
}
