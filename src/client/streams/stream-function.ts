import type { Procedure } from '../../contract/procedure.ts';
import type { Codec } from '../../payload.ts';
import { done, item } from '../../protocol/server-messages.ts';
import { callHeaders } from '../calls/call-headers.ts';
import { readCallError } from '../calls/read-call-error.ts';
import { encodeCancel } from '../../protocol/encode.ts';
import { capability, type Capability, type Kernel } from '../kernel/capability.ts';
import type { Slot } from '../kernel/link-state.ts';
import type { Request } from '../requests/request.ts';
import type { CallOptions } from '../requests/request-options.ts';
import type { ItemStream } from './item-stream.ts';
import { StreamAround } from './stream-around.ts';
import { StreamCall, type StreamParts } from './stream-call.ts';
import { StreamRequest } from './stream-request.ts';

type ItemMessage = readonly ['item', id: number, seq: number, json?: unknown, meta?: unknown];

/** Streams: `for await (const token of client.assistant.reply({ text }))`. */
export function streams(): Capability<'streams'> {
  return capability('streams', (kernel) => ({
    takes: {
      item: {
        ...item,
        take: (link, [, id, seq, json, meta]: ItemMessage, isVetted) => {
          const request = kernel.requests.find(link, id);
          if (request instanceof StreamRequest) request.item(seq, json, meta, isVetted);
        },
      },
      done: {
        ...done,
        // The end of a stream; of anything else it says nothing.
        take: (link, [, id]: readonly ['done', number]) => {
          const isOther = kernel.requests.find(link, id)?.takesSlot === 'calls';
          if (!isOther) kernel.requests.settle(link, id, undefined, undefined, undefined, true);
        },
      },
    },
    // The server would keep them for whoever comes back, and nobody will.
    leaving: (link) => {
      const wanted = [...kernel.requests.sent.values()].filter((request) => request.on === link).map(entryOf);
      const streams = [...wanted, ...link.left].filter(([, slot]) => slot === 'streams');
      if (streams.length > 0)
        link.say(...streams.sort(([one], [other]) => one - other).map(([id]) => encodeCancel(id)));
    },
    offers: { stream: (procedure, path, codec) => streamFunction(kernel, procedure, path, codec) },
  }));
}

function entryOf({ id, takesSlot }: Request): [number, Slot] {
  return [id, takesSlot];
}

/** Makes the function that gives the runs of one stream. */
function streamFunction(
  kernel: Kernel,
  procedure: Procedure,
  path: string,
  codec: Codec,
): (input: unknown, options?: CallOptions) => ItemStream<unknown> {
  const run = (input: unknown, options: CallOptions): StreamCall => {
    // Now: what the caller does to the object later is not sent. Nothing is thrown at the caller: its reader is told.
    const encoded = attempt(() => ({
      payload: procedure.input === undefined ? '' : codec.encode(input),
      headers: callHeaders(options.headers),
    }));
    const parts: StreamParts = {
      path,
      codec,
      item: procedure.output,
      signal: options.signal,
      readError: (error, data) => readCallError({ procedure, path, codec }, error, data),
      send: (stream, resolve, reject) => {
        const { payload, headers } = encoded();
        const request = new StreamRequest(stream, parts, payload, headers, resolve, reject);
        kernel.requests.start(request, options, procedure.input, input);
        return request;
      },
      identities: () => kernel.identities,
      say: (on, message) => kernel.requests.say(on, message),
    };
    return new StreamCall(parts);
  };
  return (input, options = {}) => {
    const { around } = kernel;
    if (around === undefined) return run(input, options);
    return new StreamAround(
      (send) => around({ kind: 'stream', path }, input, options, send),
      (given, terms) => run(given, terms),
    );
  };
}

/** Does it now; what it gives or throws comes when it is asked for. */
function attempt<Value>(make: () => Value): () => Value {
  try {
    const value = make();
    return () => value;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}
