/* eslint-disable @typescript-eslint/no-generated-empty-object-type -- a topic without parameters has none */
import { expectTypeOf } from 'vitest';
import { z } from 'zod';
import { type Contract, type ContractTree, defineContract } from '../../src/contract/contract.ts';
import type * as Infer from '../../src/contract/infer.ts';
import { mutation, type Procedure, query, stream } from '../../src/contract/procedure.ts';
import { type ParamNames, topic, type Topic, type TopicParams } from '../../src/contract/topic.ts';
import { json } from '../../src/codec/json.ts';
import { superjson } from '../../src/superjson.ts';

const Coerced = z.object({ n: z.string().transform(Number) });
const Message = z.object({ id: z.string(), at: z.date() });
const State = z.object({ messages: z.array(Message) });

const chat = defineContract(
  {
    users: { get: query({ input: Coerced, output: Coerced }) },
    messages: {
      send: mutation({
        input: z.object({ text: z.string() }),
        errors: { ROOM_FULL: z.object({ capacity: z.string().transform(Number) }), MUTED: z.undefined() },
        idempotent: true,
      }),
    },
    bare: mutation(),
    reply: stream({ input: z.string(), output: z.string() }),
    room: topic('rooms/{roomId}/{part}', {
      event: Message,
      snapshot: State,
      apply(state, event) {
        expectTypeOf(state).toEqualTypeOf<{ messages: { id: string; at: Date }[] }>();
        expectTypeOf(event).toEqualTypeOf<{ id: string; at: Date }>();
        return { messages: [...state.messages, event] };
      },
    }),
    lobby: topic('lobby', { event: Coerced }),
  },
  { codec: superjson },
);
type Tree = typeof chat.tree;

// The tree keeps its literal types.
type Get = Tree['users']['get'];
type Send = Tree['messages']['send'];
type Bare = Tree['bare'];
type Reply = Tree['reply'];
type Room = Tree['room'];
type Lobby = Tree['lobby'];
expectTypeOf<Get['kind']>().toEqualTypeOf<'query'>();
expectTypeOf<Send['kind']>().toEqualTypeOf<'mutation'>();
expectTypeOf<Reply['kind']>().toEqualTypeOf<'stream'>();
expectTypeOf<Room['template']>().toEqualTypeOf<'rooms/{roomId}/{part}'>();
expectTypeOf<Bare['input']>().toEqualTypeOf<undefined>();
expectTypeOf<Send['output']>().toEqualTypeOf<undefined>();
expectTypeOf<Lobby['snapshot']>().toEqualTypeOf<undefined>();
expectTypeOf<keyof Bare['errors']>().toEqualTypeOf<never>();

// Both sides of a procedure.
expectTypeOf<Infer.ProcedureInput<Get>>().toEqualTypeOf<{ n: string }>();
expectTypeOf<Infer.ParsedInput<Get>>().toEqualTypeOf<{ n: number }>();
expectTypeOf<Infer.HandlerOutput<Get>>().toEqualTypeOf<{ n: string }>();
expectTypeOf<Infer.ProcedureOutput<Get>>().toEqualTypeOf<{ n: number }>();
expectTypeOf<Infer.ProcedureInput<Bare>>().toEqualTypeOf<undefined>();
expectTypeOf<Infer.ParsedInput<Bare>>().toEqualTypeOf<undefined>();
expectTypeOf<Infer.HandlerOutput<Bare>>().toEqualTypeOf<void>();
expectTypeOf<Infer.ProcedureOutput<Bare>>().toEqualTypeOf<void>();
expectTypeOf<Infer.ProcedureOutput<Reply>>().toEqualTypeOf<string>();
expectTypeOf<Infer.DeclaredErrors<Send>>().toEqualTypeOf<{
  readonly ROOM_FULL: { capacity: number };
  readonly MUTED: undefined;
}>();
expectTypeOf<Infer.DeclaredErrorInputs<Send>['ROOM_FULL']>().toEqualTypeOf<{ capacity: string }>();
expectTypeOf<keyof Infer.DeclaredErrors<Bare>>().toEqualTypeOf<never>();

// Both sides of a topic.
expectTypeOf<Infer.Params<Room>>().toEqualTypeOf<{ readonly roomId: string; readonly part: string }>();
expectTypeOf<keyof Infer.Params<Lobby>>().toEqualTypeOf<never>();
expectTypeOf<Infer.EventInput<Lobby>>().toEqualTypeOf<{ n: string }>();
expectTypeOf<Infer.EventOutput<Lobby>>().toEqualTypeOf<{ n: number }>();
expectTypeOf<Infer.SnapshotInput<Room>>().toEqualTypeOf<{ messages: { id: string; at: Date }[] }>();
expectTypeOf<Infer.SnapshotOutput<Room>>().toEqualTypeOf<{ messages: { id: string; at: Date }[] }>();
expectTypeOf<Infer.SnapshotInput<Lobby>>().toEqualTypeOf<never>();
expectTypeOf<Infer.SnapshotOutput<Lobby>>().toEqualTypeOf<never>();
expectTypeOf<ParamNames<'a/{b}/{c}'>>().toEqualTypeOf<'b' | 'c'>();
expectTypeOf<keyof TopicParams<'a'>>().toEqualTypeOf<never>();

// Narrow things are at home in the general types.
expectTypeOf(chat).toExtend<Contract>();
expectTypeOf<Tree>().toExtend<ContractTree>();
expectTypeOf<Get>().toExtend<Procedure>();
expectTypeOf<Room>().toExtend<Topic>();
expectTypeOf<Send>().not.toExtend<Topic>();
expectTypeOf<Room>().not.toExtend<Procedure>();
defineContract({ get: query() }, { codec: json });

// What must not compile.
// @ts-expect-error -- a schema is no procedure
defineContract({ get: Message });
// @ts-expect-error -- nor is text
defineContract({ get: 'query' });
// @ts-expect-error -- a codec has three parts
defineContract({ get: query() }, { codec: { name: 'x' } });
// @ts-expect-error -- an input is a schema
query({ input: { text: 'string' } });
// @ts-expect-error -- a query is always idempotent
query({ idempotent: false });
// @ts-expect-error -- errors are schemas
mutation({ errors: { ROOM_FULL: 'full' } });
// @ts-expect-error -- a topic needs an event
topic('rooms', {});
topic('rooms', {
  event: Message,
  snapshot: State,
  // @ts-expect-error -- apply returns a state
  apply: (_state, event) => event,
});
// @ts-expect-error -- without a snapshot there is no state to return
topic('rooms', { event: Message, apply: (_state, event) => event });
