import { connectedPair } from 'tautline/testing';
import { expect, test } from 'vitest';
import { contract } from './contract.ts';

const start = () => {
  const said: string[] = [];
  const pair = connectedPair(contract, {
    send: async ({ input }) => {
      said.push(input);
      await pair.topic('room').publish(input);
    },
    room: { authorize: () => true, snapshot: () => said },
  });
  return { pair, said };
};

test('what is said without a line is heard once the line is back', async () => {
  const { pair, said } = start();
  const { client, connection } = pair;
  const texts = client.room().view;
  const leave = texts.subscribe(() => {});
  await client.send('hello');

  pair.refuse();
  pair.cut();
  const sent = client.send('again');
  expect(connection.stats().queued.messages).toBe(1);

  pair.accept();
  connection.wake();
  await sent;
  await pair.settled();
  expect(said).toEqual(['hello', 'again']);
  expect(texts.get().data).toEqual(['hello', 'again']);

  leave();
  await pair[Symbol.asyncDispose]();
});
