import { validate, type AnySchema, type SchemaInput, type SchemaOutput, type Validation } from './schema.ts';
import type { StatefulTopic, Topic } from './topic.ts';

/** Somebody who is there: once, however many connections he has. */
export interface Present<Info> {
  /** His identity, as `authenticate` gave it; a name made up for the client where the server authenticates nobody. */
  readonly id: string;
  /** What was said last, on whichever of his connections that is still there. */
  readonly info: Info;
  /** His clients that are there: tabs, as a rule. */
  readonly connections: number;
}

/** What the server tells of a presence. Of one who left, `member` is what he was at last. */
export interface PresenceEvent<Info> {
  readonly type: 'joined' | 'updated' | 'left';
  readonly member: Present<Info>;
}

/** A schema of what the server makes: nobody gives it any. */
export interface FedSchema<Output> {
  /** As Standard Schema has it. */
  readonly '~standard': { readonly types?: { readonly input: never; readonly output: Output } };
}

/** Options of {@link presence}. */
export interface PresenceOptions<Info extends AnySchema> {
  /** What somebody says of himself: a name, a colour, whether he is away. At most 4096 characters as JSON. */
  readonly info: Info;
}

/** One presence of a contract: a topic whose state is who is there. */
export interface Presence<Template extends string = string, Info extends AnySchema = AnySchema> extends StatefulTopic<
  Template,
  FedSchema<PresenceEvent<SchemaOutput<Info>>>,
  FedSchema<ReadonlyArray<Present<SchemaOutput<Info>>>>
> {
  readonly info: Info;
  readonly offer: 'presence';
  /** What clients publish: `[info]` to be there, or to say something else, and `[]` to leave. */
  readonly enter: AnySchema;
}

/** What somebody says of himself, before its schema. */
export type InfoInput<P extends Topic> = P extends { readonly info: infer Info } ? SchemaInput<Info> : never;

/**
 * Who is there: a topic that the server feeds. Clients enter it, `client.here({ roomId }).enter(info)`, and its state is
 * the list of those who have; its events say who `joined`, was `updated`, or `left`. Somebody with three tabs is there once.
 * Who loses his connection has left when the server's `presenceGraceMs` is over, 10 s.
 */
export function presence<const Template extends string, const Info extends AnySchema>(
  template: Template,
  { info }: PresenceOptions<Info>,
): Presence<Template, Info> {
  const member: Parse = (value) => {
    const { id, info: said, connections } = Object(value) as Partial<Present<unknown>>;
    if (typeof id !== 'string' || typeof connections !== 'number') return UNREADABLE;
    return mapped(validate(info, said), (parsed) => ({ id, info: parsed, connections }));
  };
  const event: Parse = (value) => {
    const { type, member: whom } = Object(value) as Partial<PresenceEvent<unknown>>;
    return isType(type) ? mapped(member(whom), (parsed) => ({ type, member: parsed })) : UNREADABLE;
  };
  const said: Parse = (value) => validate(info, value);
  return {
    kind: 'topic',
    offer: 'presence',
    template,
    info,
    event: schemaOf(event),
    snapshot: schemaOf((value) => each(value, member)),
    enter: schemaOf((value) => each(value, said, 1)),
    apply,
  };
}

type Parse = (value: unknown) => Validation | Promise<Validation>;

const UNREADABLE: Validation = { issues: [{ message: 'this is not what a presence is told' }] };

function isType(type: unknown): boolean {
  return type === 'joined' || type === 'updated' || type === 'left';
}

function schemaOf(validate: Parse): FedSchema<never> {
  const standard = { version: 1, vendor: 'tautline', validate };
  return { '~standard': standard as object };
}

/** Somebody keeps his place in the list. */
function apply<Info>(
  members: ReadonlyArray<Present<Info>>,
  { type, member }: PresenceEvent<Info>,
): ReadonlyArray<Present<Info>> {
  if (type === 'left') return members.filter(({ id }) => id !== member.id);
  const isThere = members.some(({ id }) => id === member.id);
  return isThere ? members.map((one) => (one.id === member.id ? member : one)) : [...members, member];
}

function mapped(validation: ReturnType<Parse>, map: (value: unknown) => unknown): ReturnType<Parse> {
  if (validation instanceof Promise) return validation.then((settled) => mapped(settled, map));
  return validation.issues === undefined ? { value: map(validation.value) } : validation;
}

function each(values: unknown, parse: Parse, most = Infinity): ReturnType<Parse> {
  if (!Array.isArray(values) || values.length > most) return UNREADABLE;
  const parsed = values.map((value) => parse(value));
  const join = (all: readonly Validation[]): Validation =>
    all.find(({ issues }) => issues) ?? { value: all.map((one) => 'value' in one && one.value) };
  return parsed.some((one) => one instanceof Promise)
    ? Promise.all(parsed as Promise<Validation>[]).then(join)
    : join(parsed as Validation[]);
}
