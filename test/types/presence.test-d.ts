import { expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import { connect, createClient, defineContract, presence, type PresenceEvent, type Present } from '../../src/index.ts';
import { useTopic } from '../../src/react/index.ts';
import { createServer } from '../../src/server/index.ts';

const info = z.object({ name: z.string(), since: z.coerce.date() });
const contract = defineContract({ here: presence('rooms/{roomId}/here', { info }) });
interface Info {
  name: string;
  since: Date;
}

const here = createClient(contract, connect('ws://types.test/')).here({ roomId: '1' });

test('what is said is typed by the schema of the info, and so is who is there', () => {
  const stay = here.enter({ name: 'Ann', since: 'today' });
  stay.update({ name: 'Ann', since: 0 });
  expectTypeOf(stay.ready).toEqualTypeOf<Promise<void>>();
  // @ts-expect-error -- the name is a text
  here.enter({ name: 1, since: 0 });
  // @ts-expect-error -- the server tells who is there
  void here.publish({ type: 'left', member: { id: 'ann', info: { name: 'Ann', since: new Date() }, connections: 1 } });
  here.subscribe((event) => expectTypeOf(event).toEqualTypeOf<PresenceEvent<Info>>());
  expectTypeOf(here.state.get()).toEqualTypeOf<ReadonlyArray<Present<Info>> | undefined>();
  const useRoom = () => useTopic(here, { select: (members) => members.length });
  expectTypeOf(useRoom).returns.toHaveProperty('data').toEqualTypeOf<number | undefined>();
});

test('its only handler is authorize', () => {
  const server = createServer(contract, {
    authenticate: () => ({ identity: 'ann', context: { user: 'ann' } }),
    handlers: { here: { authorize: ({ params, context }) => params.roomId === context.user } },
  });
  expectTypeOf(server.topic('here', { roomId: '1' }).read()).resolves.toHaveProperty('state');
  // @ts-expect-error -- the server knows who is there
  createServer(contract, { handlers: { here: { authorize: () => true, snapshot: () => [] } } });
});
