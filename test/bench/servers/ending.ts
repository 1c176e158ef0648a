import { connect, createClient } from 'tautline';
import { contract } from './contract.ts';
import type { Figure } from './figures.ts';
import { startNode, type NodeProcess } from './start.ts';

const ROUNDS = 5;
const USERS = 40;

/** Ends something of a user on one node. Resolves with the time until his page has heard of it at another, ms. */
type End = (user: string, page: Page) => Promise<number>;

interface Page {
  /** His topic has ended. */
  readonly revoked: Promise<void>;
  /** His connection has. */
  readonly closed: Promise<void>;
}

async function open(node: NodeProcess, user: string): Promise<Page> {
  const connection = connect(`ws://127.0.0.1:${await node.ask('port')}/ws`, { auth: () => user });
  const closed = new Promise<void>((resolve) => {
    connection.on('status', ({ state }) => {
      if (state === 'closed') resolve();
    });
  });
  let ended = (): void => undefined;
  const revoked = new Promise<void>((resolve) => (ended = resolve));
  await createClient(contract, connection)
    .orders()
    .subscribe({
      status: (state) => {
        if (state === 'ended') ended();
      },
    }).ready;
  return { revoked, closed };
}

/** How long a user goes on at another node than the one where he is ended. */
export async function ending(redis: string): Promise<readonly Figure[]> {
  const [one, other] = await Promise.all([startNode({ redis }), startNode({ redis })]);
  const timed = async (asked: Promise<void>, heard: Promise<void>): Promise<number> => {
    const begun = performance.now();
    await Promise.all([asked, heard]);
    return performance.now() - begun;
  };
  const ends: readonly End[] = [
    (user, { revoked }) => timed(one.ask('revoke', user), revoked),
    (user, { closed }) => timed(one.ask('disconnect', user), closed),
  ];
  const rounds: Array<readonly number[]> = [];
  while (rounds.length < ROUNDS) {
    const longest = ends.map(() => 0);
    for (let n = 0; n < USERS; n++) {
      const user = `user ${n} of round ${rounds.length}`;
      const page = await open(other, user);
      for (const [at, end] of ends.entries()) longest[at] = Math.max(longest[at]!, await end(user, page));
    }
    rounds.push(longest);
  }
  await Promise.all([one, other].map((node) => node.kill()));
  return ['revoked', 'disconnected'].map((what, at) => ({
    title: `${what} at another node, the longest of ${USERS}, ms`,
    rounds: rounds.map((longest) => longest[at]!),
    must: 1000,
  }));
}
