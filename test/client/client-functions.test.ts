import { describe, expect, expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import { createClient, defineContract, mutation, query, stream, topic } from '../../src/index.ts';
import * as CloseCode from '../../src/protocol/close-code.ts';
import { scripted } from '../helpers/scripted-client.ts';
import { settle } from '../helpers/scripted-server.ts';

const world = scripted({ auth: () => 'alice' });

/** Groups and procedures that are called what a function has of its own. */
const contract = defineContract({
  kind: query({ output: z.number() }),
  path: { kind: mutation({}), path: stream({ output: z.number() }), name: { length: query({}) } },
  connection: topic('news/{of}', { event: z.string() }),
});

describe('the functions of a client', () => {
  test('say their path, their kind and their connection', () => {
    const connection = world.connect();
    const client = createClient(contract, connection);
    const said = [client.kind, client.path.kind, client.path.path, client.path.name.length, client.connection];
    expect(said.map(({ path, kind }) => [path, kind])).toEqual([
      ['kind', 'query'],
      ['path.kind', 'mutation'],
      ['path.path', 'stream'],
      ['path.name.length', 'query'],
      ['connection', 'topic'],
    ]);
    expect(said.every((each) => each.connection === connection)).toBe(true);
    expectTypeOf(client.path.kind.kind).toEqualTypeOf<'mutation'>();
    expectTypeOf(client.kind.kind).toEqualTypeOf<'query'>();
  });

  test('a procedure that is called like one of these is called as any other', async () => {
    const client = createClient(contract, world.connect());
    const socket = await world.welcomed();
    const answer = client.kind();
    const item = client.path.path().next();
    await settle();
    expect([...socket.all('call'), ...socket.all('open')].map(([, , path]) => path)).toEqual(['kind', 'path.path']);
    await socket.say(['reply', 1, 7], ['item', 2, 1, 8]);
    expect((await item).value).toBe(8);
    expect(await answer).toBe(7);
  });
});

describe('another identity is told', () => {
  test('after what is pending has ended, before setAuth returns; and to nobody who stopped to listen', async () => {
    const client = createClient(contract, world.connect());
    await world.welcomed();
    const told: string[] = [];
    const stop = world.connection.on('identity', () => told.push('identity'));
    const pending = client.kind().safe();
    world.connection.setAuth(() => 'bob');
    expect(told).toEqual(['identity']);
    expect((await pending).error?.code).toBe('UNAUTHENTICATED');
    world.connection.setAuth(null);
    expect(told).toEqual(['identity', 'identity']);
    stop();
    world.connection.setAuth(() => 'carol');
    expect(told).toHaveLength(2);
  });

  test('where the server finds that the credentials prove another', async () => {
    createClient(contract, world.connect());
    const socket = await world.welcomed();
    const told: string[] = [];
    world.connection.on('identity', () => told.push('identity'));
    await socket.close(CloseCode.GOING_AWAY);
    await (await world.server.next()).close(CloseCode.OTHER_IDENTITY);
    expect(told).toEqual(['identity']);
  });
});
