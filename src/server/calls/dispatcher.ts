import { validate } from '../../contract/schema.ts';
import type { Validation } from '../../contract/schema.ts';
import type { Codec } from '../../payload.ts';
import type { Deadlines } from '../../primitives/deadlines.ts';
import type { SerialQueue } from '../../primitives/serial-queue.ts';
import { encodeDone, encodeError } from '../../protocol/encode.ts';
import { badInput } from '../app/bad-input.ts';
import { assertWanted } from '../app/interceptor.ts';
import type { Intercept } from '../app/interceptor.ts';
import { afterwards, isThenable, whenReady } from '../app/now-or-later.ts';
import type { PayloadWriter } from '../app/payload-writer.ts';
import { refusalOf } from '../app/refusal.ts';
import type { Report } from '../app/reporter.ts';
import { drawItems } from '../streams/draw-items.ts';
import type { ServerStream } from '../streams/server-stream.ts';
import { HandlerInput, InterceptedInput } from './handler-input.ts';
import { Outcomes } from './outcomes.ts';
import type { Run } from './run.ts';

/** Options of a {@link Dispatcher}. */
export interface DispatcherOptions {
  readonly codec: Codec;
  readonly writer: PayloadWriter;
  readonly deadlines: Deadlines;
  readonly report: Report;
  readonly intercept: Intercept | undefined;
}

/**
 * Runs procedures: parses the input, calls the handler, and hands on what it gives or throws. A call in which nothing has
 * to be waited for is answered before `run` returns: no promise, no timer and no closure is made for it.
 */
export class Dispatcher {
  readonly #codec: Codec;
  readonly #deadlines: Deadlines;
  readonly #report: Report;
  readonly #intercept: Intercept | undefined;
  readonly #outcomes: Outcomes;
  /** Calls that came just now and have no answer yet. */
  #toLimit: Run[] = [];

  constructor({ codec, writer, deadlines, report, intercept }: DispatcherOptions) {
    this.#codec = codec;
    this.#deadlines = deadlines;
    this.#report = report;
    this.#intercept = intercept;
    this.#outcomes = new Outcomes(writer, report);
  }

  /** Runs a call. One that waits for its turn, behind those of a queue, has its time limited meanwhile. */
  run(run: Run, turns?: SerialQueue): void {
    if (turns === undefined) void this.#start(run);
    else this.#startInTurn(run, turns);
    const { deadlineMs } = run.headers;
    if (run.call.settled || deadlineMs === undefined || deadlineMs === null) return;
    if (this.#toLimit.push(run) === 1) queueMicrotask(this.#limitAll);
  }

  /** Most handlers have given their answer by now: what has one needs no timer. */
  readonly #limitAll = (): void => {
    const runs = this.#toLimit;
    this.#toLimit = [];
    for (const run of runs) if (!run.call.settled) this.#limitTime(run, run.headers.deadlineMs!);
  };

  /** The time that the caller gives, of a stream for its first item. */
  #limitTime({ call, calls, arrival, stream }: Run, deadlineMs: number): void {
    const deadline = this.#deadlines.add(arrival.at + deadlineMs, () => {
      if (stream !== undefined && stream.last > 0) return;
      calls.abort(call, new DOMException('the call ran out of time', 'TimeoutError'));
      calls.settle(call, encodeError(call.id, { code: 'TIMEOUT', message: 'the call ran out of time' }, ''));
    });
    call.onEnd(() => this.#deadlines.remove(deadline));
  }

  /** Starts a call when those before it have started. */
  #startInTurn(run: Run, turns: SerialQueue): void {
    const { call, calls } = run;
    if (turns.isIdle) {
      const starting = this.#start(run);
      if (starting !== undefined) turns.run(() => starting);
      return;
    }
    // Also one that was settled meanwhile counts until it leaves the queue.
    calls.hold(call);
    turns.run(() => {
      const starting = this.#start(run);
      calls.release(call);
      return starting;
    });
  }

  /**
   * Starts a call, unless it was settled before. The result settles when its handler has been started (or never will
   * be): what keeps the order of mutations waits for it. It is nothing when that happened at once, and never rejects.
   */
  #start(run: Run): void | Promise<void> {
    const { call, calls, bound } = run;
    if (call.settled) return;
    const { input } = bound.procedure;
    if (input === undefined) return this.#invoke(run, undefined);
    let value: unknown;
    try {
      value = this.#codec.decode(run.json, run.meta, run.arrival.isVetted);
    } catch (error) {
      const message = error instanceof Error ? error.message : 'the payload is malformed';
      return this.#outcomes.refuse(run, 'BAD_PAYLOAD', message);
    }
    const validation = validate(input, value);
    if (!isThenable(validation)) return this.#parsed(run, validation);
    return new Promise((started) => {
      // A call that was settled meanwhile must not hold up the ones after it.
      call.onEnd(started);
      calls.hold(call);
      void validation.then((result) => {
        const starting = this.#parsed(run, result);
        calls.release(call);
        afterwards(starting, started);
      });
    });
  }

  /** The result is that of {@link #start}. */
  #parsed(run: Run, validation: Validation): void | Promise<void> {
    if (validation.issues === undefined) return this.#invoke(run, validation.value);
    const { call, calls, bound } = run;
    if (call.settled) return;
    if ('cause' in validation) this.#report(validation.cause, { during: 'input', path: bound.path });
    calls.settle(call, encodeError(call.id, badInput(validation.issues), ''));
  }

  /** The result is that of {@link #start}. */
  #invoke(run: Run, input: unknown): void | Promise<void> {
    const { call, calls, bound } = run;
    if (call.settled) return;
    calls.hold(call);
    call.begun = true;
    const args = new HandlerInput(run, input);
    if (this.#intercept !== undefined) return this.#throughInterceptors(run, this.#intercept, args);
    let output: unknown;
    try {
      output = bound.handler(args);
      if (isThenable(output)) output = Promise.resolve(output);
    } catch (error) {
      return this.#failed(run, error);
    }
    if (!(output instanceof Promise)) return this.#gave(run, output);
    void output.then(
      (value) => this.#gave(run, value),
      (error: unknown) => this.#failed(run, error),
    );
  }

  /** Goes through the interceptors; what they give is the output. */
  #throughInterceptors(run: Run, intercept: Intercept, args: HandlerInput): void | Promise<void> {
    const { call, calls, bound } = run;
    const intercepted = new InterceptedInput(run, args.input);
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
        (output) => this.#gave(run, output),
        (error) => {
          const refusal = begun ? undefined : refusalOf(error);
          if (refusal === undefined) return this.#failed(run, error);
          calls.settle(call, encodeError(call.id, refusal, ''));
          calls.release(call);
        },
      );
    });
    return begun ? undefined : starting;
  }

  /** The handler has ended when its output is told. Its result is nothing: nobody waits for it. */
  #gave(run: Run, output: unknown): void {
    const { stream } = run;
    const giving = stream === undefined ? this.#outcomes.give(run, output) : this.#draw(run, stream, output);
    this.#releaseAfter(run, giving);
  }

  #failed(run: Run, error: unknown): void {
    this.#releaseAfter(run, this.#outcomes.fail(run, error));
  }

  #releaseAfter({ call, calls }: Run, ending: void | Promise<void>): void {
    if (ending === undefined) calls.release(call);
    else void ending.then(() => calls.release(call));
  }

  /** Gives items as the consumer has room for them, then the end. Settles when the handler has ended. */
  async #draw(run: Run, stream: ServerStream, source: unknown): Promise<void> {
    try {
      await drawItems({
        source,
        stream,
        each: (item) => this.#outcomes.giveItem(run, item),
        failed: (error) => this.#outcomes.reportThrown(run, error),
      });
      run.calls.settle(run.call, encodeDone(run.call.id));
    } catch (error) {
      await this.#outcomes.fail(run, error);
    }
  }
}
