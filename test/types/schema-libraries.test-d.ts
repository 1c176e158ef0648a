import { expectTypeOf, test } from 'vitest';
import { connect, createClient } from '../../src/index.ts';
import { createServer } from '../../src/server/index.ts';
import { arktype, mini, valibot, zod } from '../helpers/schema-libraries.ts';

const connection = connect('ws://types.test/');
const clients = {
  zod: createClient(zod, connection),
  mini: createClient(mini, connection),
  valibot: createClient(valibot, connection),
  arktype: createClient(arktype, connection),
};

type Add = (typeof clients)['zod']['add'];
type Notes = ReturnType<(typeof clients)['zod']['notes']>;

test('each library gives the client the types that zod gives it', () => {
  expectTypeOf<Parameters<Add>[0]>().toEqualTypeOf<{ numbers: Array<{ value: string }> }>();
  expectTypeOf(clients.zod.add({ numbers: [] })).resolves.toEqualTypeOf<{ sum: number }>();
  expectTypeOf<Parameters<(typeof clients)['mini']['add']>[0]>().toEqualTypeOf<Parameters<Add>[0]>();
  expectTypeOf<Parameters<(typeof clients)['valibot']['add']>[0]>().toEqualTypeOf<Parameters<Add>[0]>();
  expectTypeOf<Parameters<(typeof clients)['arktype']['add']>[0]>().toEqualTypeOf<Parameters<Add>[0]>();
  expectTypeOf(clients.mini.add({ numbers: [] })).resolves.toEqualTypeOf<{ sum: number }>();
  expectTypeOf(clients.valibot.add({ numbers: [] })).resolves.toEqualTypeOf<{ sum: number }>();
  expectTypeOf(clients.arktype.add({ numbers: [] })).resolves.toEqualTypeOf<{ sum: number }>();
  expectTypeOf(clients.mini.notes({ room: '' }).state.get()).toEqualTypeOf<{ texts: string[] } | undefined>();
  expectTypeOf(clients.valibot.notes({ room: '' }).state.get()).toEqualTypeOf<{ texts: string[] } | undefined>();
  expectTypeOf(clients.arktype.notes({ room: '' }).state.get()).toEqualTypeOf<{ texts: string[] } | undefined>();
  expectTypeOf<Parameters<Notes['publish']>[0]>().toEqualTypeOf<{ text: string }>();
});

test('declared errors have the data of their schema in each', async () => {
  for (const add of [clients.zod.add, clients.mini.add, clients.valibot.add]) {
    const { error } = await add({ numbers: [] }).safe();
    if (error?.code === 'TOO_MUCH') expectTypeOf(error.data).toEqualTypeOf<{ max: number }>();
  }
  const { error } = await clients.arktype.add({ numbers: [] }).safe();
  if (error?.code === 'TOO_MUCH') expectTypeOf(error.data).toEqualTypeOf<{ max: number }>();
  // @ts-expect-error -- what the client gives is the text, not what the server makes of it
  void clients.valibot.add({ numbers: [{ value: 1 }] });
  // @ts-expect-error -- the same
  void clients.arktype.add({ numbers: [{ value: 1 }] });
});

test('handlers get what the schema made of the input', () => {
  const notes = { authorize: () => true, snapshot: () => ({ texts: [] }) };
  const claim = ({ input }: { input: { name: string } }) => input.name;
  createServer(valibot, {
    handlers: {
      add: ({ input, fail }) => {
        expectTypeOf(input).toEqualTypeOf<{ numbers: Array<{ value: number }> }>();
        return input.numbers.length > 9 ? fail('TOO_MUCH', { max: 9 }) : { sum: 0 };
      },
      claim,
      notes,
    },
  });
  createServer(arktype, {
    handlers: {
      // @ts-expect-error -- the output is a number
      add: ({ input }) => {
        expectTypeOf(input).toEqualTypeOf<{ numbers: Array<{ value: number }> }>();
        return { sum: '0' };
      },
      claim,
      notes,
    },
  });
  createServer(mini, {
    handlers: {
      add: ({ input }) => ({ sum: input.numbers.reduce((sum, { value }) => sum + value, 0) }),
      claim,
      // @ts-expect-error -- the topic declares a snapshot
      notes: { authorize: () => true },
    },
  });
});
