import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineContract, isTautlineError, mutation, stream, type Interceptor } from '../../src/index.ts';
import type { Handlers } from '../../src/server/index.ts';
import { connectedPair } from '../../src/testing/index.ts';
import { read } from '../helpers/read-stream.ts';

const contract = defineContract({
  pay: mutation({
    input: z.object({ amount: z.number(), card: z.string() }),
    output: z.object({ receipt: z.string() }),
    errors: { REFUSED: z.object({ card: z.string() }) },
  }),
  audit: stream({ output: z.object({ entry: z.string() }) }),
});

/** Handlers, and the headers that reached them. */
function world() {
  const headers: unknown[] = [];
  const handlers: Handlers<(typeof contract)['tree']> = {
    pay: ({ input, call, fail }) => {
      headers.push(call.headers);
      if (input.amount > 100) fail('REFUSED', { card: input.card });
      return { receipt: `for ${input.card}` };
    },
    async *audit({ call }) {
      headers.push(call.headers);
      yield { entry: 'secret' };
    },
  };
  return { headers, handlers };
}

/** Carries the trace of the caller (W3C Trace Context) to the handlers: each call is a span of its own. */
function tracing(traceId: string, newSpanId: () => string): Interceptor {
  return (call, next) => {
    const traceparent = `00-${traceId}-${newSpanId()}-01`;
    return next({ ...call, headers: { ...call.headers, traceparent } });
  };
}

test('a recipe: traceparent reaches the handler, of streams too', async () => {
  const { headers, handlers } = world();
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
  let spans = 0;
  const intercept = tracing(traceId, () => String(++spans).padStart(16, '0'));
  await using pair = connectedPair(contract, handlers, { connect: { intercept } });
  await pair.client.pay({ amount: 1, card: '4111' }, { headers: { 'x-tenant': 'blue' } });
  await read(pair.client.audit()).over;
  expect(headers).toMatchObject([
    { 'x-tenant': 'blue', traceparent: `00-${traceId}-0000000000000001-01` },
    { traceparent: `00-${traceId}-0000000000000002-01` },
  ]);
});

/** Logs what was called and how it ended: never a value, since inputs, outputs and data of errors may be personal. */
function logging(log: (line: string) => void): Interceptor {
  return async (call, next) => {
    const name = `${call.kind} ${call.path}`;
    try {
      const output = await next(call);
      if (call.kind !== 'stream') {
        log(`${name} ok`);
        return output;
      }
      return loggedItems(name, output as AsyncIterable<unknown>, log);
    } catch (error) {
      log(`${name} ${codeOf(error)}`);
      throw error;
    }
  };
}

async function* loggedItems(name: string, items: AsyncIterable<unknown>, log: (line: string) => void): AsyncGenerator {
  let count = 0;
  let end = 'left';
  try {
    for await (const item of items) {
      count++;
      yield item;
    }
    end = 'ok';
  } catch (error) {
    end = codeOf(error);
    throw error;
  } finally {
    log(`${name} ${end} after ${String(count)} items`);
  }
}

const codeOf = (error: unknown) => (isTautlineError(error) ? `${error.code} (${error.outcome})` : 'failed');

test('a recipe: a log of calls in which no value appears', async () => {
  const lines: string[] = [];
  const { handlers } = world();
  const intercept = logging((line) => lines.push(line));
  await using pair = connectedPair(contract, handlers, { connect: { intercept } });
  await pair.client.pay({ amount: 1, card: '4111' });
  await pair.client.pay({ amount: 101, card: '4111' }).safe();
  await pair.client.pay({ amount: '1' as never, card: '4111' }).safe();
  await read(pair.client.audit()).over;
  for await (const entry of pair.client.audit()) if (entry.entry !== '') break;
  expect(lines).toEqual([
    'mutation pay ok',
    'mutation pay REFUSED (rejected)',
    'mutation pay BAD_INPUT (not-sent)',
    'stream audit ok after 1 items',
    'stream audit left after 1 items',
  ]);
});
