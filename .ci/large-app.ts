/*
 * Writes the app that .ci/instantiations.ts measures: 200 procedures and 50 topics, in groups of 10. Generated, since
 * nobody would read it. Every field has its number, so that no two schemas share a type.
 */

/** How large the schemas of the app are. */
export type Size = 'small' | 'rich';

const PROCEDURES = 200;
const TOPICS = 50;
/** Procedures or topics of a group. */
const MEMBERS = 10;

/** The files of an app by name; each imports those that it needs. */
export function largeApp(size: Size): Readonly<Record<string, string>> {
  return {
    'schemas.ts': schemas(size),
    'contract.ts': contract(),
    'client.ts': client(size, (n) => n % MEMBERS === Math.floor(n / MEMBERS) % MEMBERS),
    'every-call.ts': client(size, () => true),
    'server.ts': server(size, true),
    'anonymous-server.ts': server(size, false),
    'server-twin.ts': serverTwin(size),
  };
}

const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, n) => n);
const hasSnapshot = (n: number): boolean => n % 2 === 0;
const hasParams = (n: number): boolean => n % MEMBERS !== 0;

/** Of ten procedures five read, four change something and one streams. */
function kindOf(n: number): 'query' | 'mutation' | 'stream' {
  const member = n % MEMBERS;
  return member === MEMBERS - 1 ? 'stream' : member % 2 === 0 ? 'query' : 'mutation';
}

function schemas(size: Size): string {
  const { input, output, event } = size === 'small' ? small : rich;
  return [
    `import { z } from 'zod';`,
    ...numbers(PROCEDURES).flatMap((n) => [
      `export const input${n} = ${input(n)};`,
      `export const output${n} = ${output(n)};`,
      `export const error${n} = z.object({ left${n}: z.number() });`,
    ]),
    ...numbers(TOPICS).map((n) => `export const event${n} = ${event(n)};`),
    ...numbers(TOPICS).map((n) => `export const snapshot${n} = z.object({ all${n}: z.array(event${n}) });`),
  ].join('\n');
}

const small = {
  input: (n: number) => `z.object({ id${n}: z.string() })`,
  output: (n: number) => `z.object({ id${n}: z.string(), name: z.string() })`,
  event: (n: number) => `z.object({ text${n}: z.string() })`,
  given: (n: number) => `{ id${n}: 'a' }`,
  answer: (n: number) => `{ id${n}: 'a', name: input.id${n} }`,
  published: (n: number) => `{ text${n}: 'a' }`,
};

const rich = {
  input: (n: number) => `z.object({
    id${n}: z.string().min(1).max(64),
    size: z.int().positive().optional(),
    filter: z.array(z.object({ key: z.string(), value: z.union([z.string(), z.number()]) })).max(20),
    since: z.string().transform((text) => new Date(text)),
  })`,
  output: (n: number) => `z.object({
    id${n}: z.string(),
    state: z.enum(['new', 'open', 'done']),
    items: z.array(z.object({ at: z.number(), note: z.string().nullable() })),
    owner: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('user'), name: z.string() }),
      z.object({ kind: z.literal('team'), members: z.array(z.string()) }),
    ]),
  })`,
  event: (n: number) => `z.object({
    text${n}: z.string(),
    author: z.object({ id: z.string(), name: z.string().optional() }),
    at: z.number().optional(),
  })`,
  given: (n: number) => `{ id${n}: 'a', size: 1, filter: [{ key: 'k', value: 1 }], since: '2026-01-01' }`,
  answer: (n: number) =>
    `{ id${n}: input.since.toISOString(), state: 'new' as const, items: [], ` +
    `owner: { kind: 'user' as const, name: input.id${n} } }`,
  published: (n: number) => `{ text${n}: 'a', author: { id: 'b' } }`,
};

function contract(): string {
  const topic = (n: number) => {
    const template = `topic${n}${hasParams(n) ? `/{room${n}}` : ''}${n % 3 === 0 ? '/{part}' : ''}`;
    const fold = `(state, event) => ({ ...state, all${n}: [...state.all${n}, event] })`;
    return `topic('${template}', { event: s.event${n}${hasSnapshot(n) ? `, snapshot: s.snapshot${n}, apply: ${fold}` : ''} })`;
  };
  const procedure = (n: number) =>
    `${kindOf(n)}({ input: s.input${n}, output: s.output${n}, errors: { FULL${n}: s.error${n} } })`;
  return `import { defineContract, mutation, query, stream, topic } from 'tautline';
    import * as s from './schemas.ts';
    export const contract = defineContract({ ${inGroups(procedure, topic)} });`;
}

/** Procedures and topics in their groups: of a contract, or of its handlers. */
function inGroups(procedure: (n: number) => string, topic: (n: number) => string): string {
  const group = (first: number, member: (n: number) => string) =>
    numbers(MEMBERS)
      .map((n) => member(first + n))
      .join(',\n');
  return [
    ...numbers(PROCEDURES / MEMBERS).map(
      (n) => `group${n}: { ${group(n * MEMBERS, (member) => `call${member}: ${procedure(member)}`)} }`,
    ),
    ...numbers(TOPICS / MEMBERS).map(
      (n) => `topics${n}: { ${group(n * MEMBERS, (member) => `topic${member}: ${topic(member)}`)} }`,
    ),
  ].join(',\n');
}

/** What a page does with those of its procedures and topics that are chosen: calls, and looks at what comes of it. */
function client(size: Size, isChosen: (n: number) => boolean): string {
  const { given, published } = size === 'small' ? small : rich;
  const call = (n: number) => {
    const called = `client.group${Math.floor(n / MEMBERS)}.call${n}(${given(n)})`;
    if (kindOf(n) === 'stream') return `for await (const item of ${called}) show(item.id${n});`;
    if (n % 3 !== 0) return `show((await ${called}).id${n});`;
    return `const result${n} = await ${called}.safe();
      if (result${n}.ok) show(result${n}.data.id${n});
      else if (result${n}.error.code === 'FULL${n}') show(result${n}.error.data.left${n});`;
  };
  const topic = (n: number) => {
    const params = [hasParams(n) ? `room${n}: 'a'` : '', n % 3 === 0 ? `part: 'b'` : ''].filter((text) => text !== '');
    const handle = `client.topics${Math.floor(n / MEMBERS)}.topic${n}(${params.length > 0 ? `{ ${params.join(', ')} }` : ''})`;
    return `const topic${n} = ${handle};
      topic${n}.subscribe((event) => show(event.text${n}));
      await topic${n}.publish(${published(n)});
      ${hasSnapshot(n) ? `show(topic${n}.state.get()?.all${n}.length ?? 0);` : ''}`;
  };
  return `import { connect, createClient } from 'tautline';
    import { contract } from './contract.ts';
    declare function show(value: string | number): void;
    const client = createClient(contract, connect('/ws'));
    ${numbers(PROCEDURES).filter(isChosen).map(call).join('\n')}
    ${numbers(TOPICS).filter(isChosen).map(topic).join('\n')}`;
}

/** The handlers, written for a procedure and for a topic; they ask who calls where somebody is authenticated. */
function handlers(size: Size, isAuthenticated: boolean) {
  const { answer } = size === 'small' ? small : rich;
  const user = isAuthenticated ? 'context.user' : 'context';
  return {
    procedure: (n: number) => {
      const refuse = `if (${user} === '') fail('FULL${n}', { left${n}: 1 });`;
      if (kindOf(n) === 'stream') return `async function* ({ input, context, fail }) { ${refuse} yield ${answer(n)}; }`;
      return `async ({ input, context, fail }) => { ${refuse} return ${answer(n)}; }`;
    },
    topic: (n: number) => {
      const params = hasParams(n) ? 'params, ' : '';
      const authorize = `({ ${params}context }) => ${user} !== ${hasParams(n) ? `params.room${n}` : `''`}`;
      const publish = n % 4 < 2 ? `, publish: ({ event }) => show(event.text${n})` : '';
      return `{ authorize: ${authorize}${hasSnapshot(n) ? `, snapshot: () => ({ all${n}: [] })` : ''}${publish} }`;
    },
  };
}

/** Every handler, its arguments inferred. */
function server(size: Size, isAuthenticated: boolean): string {
  const { procedure, topic } = handlers(size, isAuthenticated);
  const authenticate = `authenticate: async ({ token = '' }) => ({ identity: token, context: { user: token } }),`;
  return `import { createServer } from 'tautline/server';
    import { contract } from './contract.ts';
    declare function show(value: string | number): void;
    createServer(contract, {
      ${isAuthenticated ? authenticate : ''}
      handlers: { ${inGroups(procedure, topic)} },
    });`;
}

/** The same handlers as functions of their own, their arguments typed by zod itself: its inference without Tautline. */
function serverTwin(size: Size): string {
  const { procedure, topic } = handlers(size, true);
  const handler = (n: number) => {
    const args = `Args<'FULL${n}', z.output<typeof s.input${n}>, z.input<typeof s.error${n}>>`;
    return `const call${n}: Handler<'${kindOf(n)}', ${args}, z.input<typeof s.output${n}>> = ${procedure(n)};`;
  };
  const rules = (n: number) => {
    const snapshot = hasSnapshot(n) ? `snapshot: () => z.input<typeof s.snapshot${n}>; ` : '';
    return `const topic${n}: {
        authorize: (args: { params: { room${n}: string }; context: { user: string } }) => boolean;
        publish?: (args: { event: z.output<typeof s.event${n}> }) => void;
        ${snapshot}
      } = ${topic(n)};`;
  };
  return `import type { z } from 'zod';
    import type * as s from './schemas.ts';
    declare function show(value: string | number): void;
    interface Args<Code, Input, Data> {
      input: Input;
      context: { user: string };
      fail: (code: Code, data: Data) => never;
    }
    interface Handler<Kind, Args, Output> {
      (args: Args): Kind extends 'stream' ? AsyncIterable<Output> : Promise<Output>;
    }
    ${numbers(PROCEDURES).map(handler).join('\n')}
    ${numbers(TOPICS).map(rules).join('\n')}`;
}
