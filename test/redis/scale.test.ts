import { fork } from 'node:child_process';
import { on, once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Figures } from '../../examples/scale/contract.ts';

const example = (name: string): string => fileURLToPath(new URL(`../../examples/${name}`, import.meta.url));

/* The example with several servers: two processes, a balancer, Redis, and clients that count what they miss. */
test('a server that is stopped costs nobody a call or an event; one that is killed no event', async () => {
  await using stack = new AsyncDisposableStack();
  const child = fork(example('scale/start.ts'), {
    execArgv: [`--import=${new URL('../../examples/from-source.ts', import.meta.url).href}`],
    env: { ...process.env, CLIENTS: '20', EVERY_MS: '300' },
    silent: true,
  });
  stack.defer(async () => {
    child.kill('SIGTERM');
    await once(child, 'exit');
  });
  const until = async (isSo: (figures: Figures) => boolean): Promise<Figures> => {
    for await (const [figures] of on(child, 'message') as AsyncIterable<[Figures]>) if (isSo(figures)) return figures;
    throw new Error('it ended');
  };
  const isWhole = ({ nodes, seen }: Figures): boolean =>
    nodes.every(({ state }) => state === 'serving') && seen.connected === 20;
  const settledAfter = async (calls: number): Promise<Figures> =>
    until((figures) => isWhole(figures) && figures.seen.calls >= calls + 100);

  const begun = await settledAfter(0);
  expect(begun.nodes.map(({ clients }) => clients > 0)).toEqual([true, true]);
  child.send('stop a node');
  await until(({ nodes }) => nodes.some(({ state }) => state === 'leaving'));
  const stopped = await settledAfter(begun.seen.calls);
  expect(stopped.seen).toMatchObject({ failed: 0, lost: 0, doubled: 0, gaps: 0 });

  child.send('kill a node');
  await until(({ nodes }) => nodes.some(({ state }) => state === 'starting'));
  expect((await settledAfter(stopped.seen.calls)).seen).toMatchObject({ lost: 0, doubled: 0, gaps: 0 });
}, 180_000);
