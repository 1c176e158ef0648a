import { DEVELOPMENT } from '../../development.ts';
import { TautlineError } from '../../errors.ts';
import { encodePublish } from '../../protocol/encode.ts';
import type { WireError } from '../../protocol/messages.ts';
import { utf8Length } from '../../protocol/utf8.ts';
import { serverError } from '../requests/read-payload.ts';
import { Request } from '../requests/request.ts';
import type { FilledTopic } from '../requests/filled-topic.ts';

/** One publish that the server acknowledges, with the position of the event. */
export class Publish extends Request {
  readonly #target: FilledTopic;
  readonly #payload: string;
  readonly surplus: number;

  constructor(
    target: FilledTopic,
    payload: string,
    resolve: (position: never) => void,
    reject: (error: TautlineError) => void,
  ) {
    const payloadBytes = utf8Length(payload);
    super(payloadBytes + target.name.length, resolve, reject);
    this.#target = target;
    this.#payload = payload;
    // Names of topics are ASCII.
    this.surplus = payloadBytes - payload.length;
  }

  get path(): string {
    return this.#target.topic.path;
  }

  override get topic(): string {
    return this.#target.name;
  }

  protected message(): string {
    return encodePublish(this.id, this.#target.nameJson, this.#payload);
  }

  protected read(error: WireError | undefined, json: unknown): unknown {
    const { path } = this;
    if (error !== undefined) return serverError(path, error);
    if (Array.isArray(json) && typeof json[0] === 'string' && typeof json[1] === 'number') return [json[0], json[1]];
    const what = DEVELOPMENT && `${path}: the server answered a publish with no position.`;
    throw new TautlineError('BAD_OUTPUT', what, { outcome: 'unknown', path });
  }
}
