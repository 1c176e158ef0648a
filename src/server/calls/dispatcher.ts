import { validate } from '../../contract/schema.ts';
import type { Validation } from '../../contract/schema.ts';
import type { Codec } from '../../payload.ts';
import type { Deadline, Deadlines } from '../../primitives/deadlines.ts';
import type { SerialQueue } from '../../primitives/serial-queue.ts';
import { encodeDone, encodeError, encodeReply } from '../../protocol/encode.ts';
import type { Headers } from '../../protocol/messages.ts';
import { badInput } from '../app/bad-input.ts';
import type { KnownCall, CallMemory } from './call-memory.ts';
import { DeclaredFailure, failWith } from '../app/declared-failure.ts';
import { drawItems } from '../streams/draw-items.ts';
import type { BoundProcedure } from '../app/handlers.ts';
import { assertWanted, refusalOf } from '../app/interceptor.ts';
import type { Intercept, InterceptedCall } from '../app/interceptor.ts';
import { outputFault } from '../app/output-fault.ts';
import type { ParsedValue, PayloadWriter } from '../app/payload-writer.ts';
import { isAbort, isThenable, whenReady } from '../app/reporter.ts';
import type { Report } from '../app/reporter.ts';
import type { ServerStream } from '../streams/server-stream.ts';

/** What a procedure runs with. */
export interface Run {
  readonly call: KnownCall;
  readonly calls: CallMemory;
  readonly bound: BoundProcedure;
  readonly context: unknown;
  readonly headers: Headers;
  readonly json: unknown;
  readonly meta: unknown;
  /** Where the items go, of a stream. */
  readonly stream?: ServerStream | undefined;
}

/** Options of a {@link Dispatcher}. */
export interface DispatcherOptions {
  readonly codec: Codec;
  readonly writer: PayloadWriter;
  readonly deadlines: Deadlines;
  readonly report: Report;
  readonly intercept: Intercept | undefined;
}

const GENERIC = 'the server failed';

/** Runs procedures: parses the input, calls the handler, parses its output, and tells of errors what may be told. */
export class Dispatcher {
  readonly #options: DispatcherOptions;

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  /** Starts the time that the caller gives, of a stream for its first item: before the call waits for others. */
  limitTime({ call, calls, headers, stream }: Run): void {
    const { deadlineMs } = headers;
    if (deadlineMs === undefined || deadlineMs === null) return;
    const { deadlines } = this.#options;
    const deadline: Deadline = deadlines.add(Date.now() + deadlineMs, () => {
      if (stream !== undefined && stream.last > 0) return;
      call.abort(new DOMException('the call ran out of time', 'TimeoutError'));
      calls.settle(call, encodeError(call.id, { code: 'TIMEOUT', message: 'the call ran out of time' }, ''));
    });
    call.onEnd(() => deadlines.remove(deadline));
  }

  /** Starts a call when those before it have started. */
  startInTurn(run: Run, queue: SerialQueue): void {
    const { call, calls } = run;
    // Also one that was settled meanwhile counts until it leaves the queue.
    calls.hold(call);
    queue.run(() => {
      const starting = this.start(run);
      calls.release(call);
      return starting;
    });
  }

  /**
   * Starts a call, unless it was settled before. The result settles when its handler has been started (or never will be): what keeps the order of
   * mutations waits for it. It is nothing when that happened at once, and never rejects.
   */
  start(run: Run): void | Promise<void> {
    const { call, calls, bound } = run;
    if (call.settled) return;
    const { input } = bound.procedure;
    if (input === undefined) return this.#invoke(run, { value: undefined });
    let value: unknown;
    try {
      value = this.#options.codec.decode(run.json, run.meta);
    } catch (error) {
      return this.#refuse(run, 'BAD_PAYLOAD', error instanceof Error ? error.message : 'the payload is malformed');
    }
    const validation = validate(input, value);
    if (!isThenable(validation)) return this.#invoke(run, validation);
    return new Promise((started) => {
      // A call that was settled meanwhile must not hold up the ones after it.
      call.onEnd(started);
      calls.hold(call);
      void validation.then((result) => {
        const starting = this.#invoke(run, result);
        calls.release(call);
        afterwards(starting, started);
      });
    });
  }

  /** The result is that of {@link start}. */
  #invoke(run: Run, validation: Validation): void | Promise<void> {
    const { call, calls, bound } = run;
    if (call.settled) return;
    if (validation.issues !== undefined) {
      if ('cause' in validation) this.#options.report(validation.cause, { during: 'input', path: bound.path });
      return this.#settle(run, encodeError(call.id, badInput(validation.issues), ''));
    }
    calls.hold(call);
    const ended = (): void => {
      calls.release(call);
    };
    const args = {
      input: validation.value,
      context: run.context,
      get signal() {
        return call.signal;
      },
      fail: failWith(bound.procedure),
      call: { id: call.id, path: bound.path, headers: run.headers },
    };
    const { intercept } = this.#options;
    if (intercept !== undefined) return this.#intercept(run, intercept, args, ended);
    void whenReady(
      () => bound.handler(args),
      (output) => afterwards(this.#give(run, output), ended),
      (error) => afterwards(this.#fail(run, error), ended),
    );
  }

  /** Goes through the interceptors; what they give is the output. */
  #intercept(
    run: Run,
    intercept: Intercept,
    args: { readonly input: unknown },
    ended: () => void,
  ): void | Promise<void> {
    const { call, bound, context, headers } = run;
    const { input } = args;
    const intercepted: InterceptedCall = {
      kind: call.kind,
      path: bound.path,
      id: call.id,
      headers,
      input,
      context,
      get signal() {
        return call.signal;
      },
    };
    let begun = false;
    const starting = new Promise<void>((started) => {
      const handle = (): unknown => {
        assertWanted(call);
        begun = true;
        started();
        return bound.handler(args);
      };
      call.onEnd(started);
      void whenReady(
        () => intercept(intercepted, handle),
        (output) => afterwards(this.#give(run, output), ended),
        (error) => {
          const refusal = begun ? undefined : refusalOf(error);
          if (refusal === undefined) return afterwards(this.#fail(run, error), ended);
          this.#settle(run, encodeError(call.id, refusal, ''));
          ended();
        },
      );
    });
    return begun ? undefined : starting;
  }

  #give(run: Run, output: unknown): void | Promise<void> {
    const { call, stream } = run;
    if (stream !== undefined) return this.#stream(run, stream, output);
    return this.#parse(run, output, (payload) => this.#settle(run, encodeReply(call.id, payload)));
  }

  /** Gives items as the consumer has room for them, then the end. Settles when the handler has ended. */
  async #stream(run: Run, stream: ServerStream, source: unknown): Promise<void> {
    try {
      await drawItems({
        source,
        stream,
        each: (item) => this.#parse(run, item, (payload) => stream.push(payload)),
        failed: (error) => this.#report(run, error),
      });
      this.#settle(run, encodeDone(run.call.id));
    } catch (error) {
      await this.#fail(run, error);
    }
  }

  /** The output goes through its schema: what that makes of it is sent, and nothing else of it. */
  #parse(run: Run, output: unknown, parsed: (payload: string) => void): void | Promise<void> {
    const schema = run.bound.procedure.output;
    if (schema === undefined) return parsed('');
    return whenReady(
      () => validate(schema, output),
      (result) => {
        if (result.issues !== undefined) return this.#badOutput(run, outputFault('output', run.bound.path, result));
        this.#encode(run, { schema, value: result.value, what: 'output' }, parsed);
      },
      (error) => this.#badOutput(run, error),
    );
  }

  #fail(run: Run, error: unknown): void | Promise<void> {
    const { procedure, path } = run.bound;
    if (!(error instanceof DeclaredFailure)) {
      this.#report(run, error);
      return this.#refuse(run, 'INTERNAL', GENERIC);
    }
    const { code, message } = error;
    const schema = procedure.errors[code]!;
    return whenReady(
      () => validate(schema, error.data),
      (result) => {
        if (result.issues !== undefined) return this.#badOutput(run, outputFault(`error ${code}`, path, result));
        this.#encode(run, { schema, value: result.value, what: `error ${code}` }, (payload) => {
          this.#settle(run, encodeError(run.call.id, { code, message }, payload));
        });
      },
      (thrown) => this.#badOutput(run, thrown),
    );
  }

  #encode(run: Run, parsed: Omit<ParsedValue, 'path'>, encoded: (payload: string) => void): void {
    let payload: string;
    try {
      payload = this.#options.writer.encode({ ...parsed, path: run.bound.path });
    } catch (error) {
      return this.#badOutput(run, error);
    }
    encoded(payload);
  }

  /** That a handler stopped because nobody waits any more is no fault. */
  #report({ call, bound }: Run, error: unknown): void {
    if (!call.settled || !isAbort(error)) this.#options.report(error, { during: 'handler', path: bound.path });
  }

  /** The handler did its work, but what it says can't be told. */
  #badOutput(run: Run, error: unknown): void {
    this.#options.report(error, { during: 'output', path: run.bound.path });
    // Its handler may be far from done.
    if (run.stream !== undefined) run.call.abort(new DOMException('an item was not what it must be', 'AbortError'));
    this.#refuse(run, 'BAD_OUTPUT', 'the server answered with what its contract does not allow');
  }

  #refuse(run: Run, code: string, message: string): void {
    this.#settle(run, encodeError(run.call.id, { code, message }, ''));
  }

  #settle({ call, calls }: Run, message: string): void {
    calls.settle(call, message);
  }
}

function afterwards(running: void | Promise<void>, then: () => void): void {
  if (running === undefined) then();
  else void running.then(then);
}
