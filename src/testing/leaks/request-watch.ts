import type { Kernel } from '../../client/kernel/capability.ts';
import type { Request } from '../../client/requests/request.ts';
import { Requests } from '../../client/requests/requests.ts';
import { StreamRequest } from '../../client/streams/stream-request.ts';
import type { Begun } from './begun.ts';

/**
 * Notes the calls, publishes and streams of a connection until they are settled, and where the app asked for them. Nobody
 * takes part in their promises: one that fails and that nobody handles is unhandled, as it would be.
 * @param isNone - What goes to this contract path is none of the app's.
 */
export function watchRequests(connection: Kernel, begun: Begun, isNone: (path: string) => boolean): void {
  const ledger = requestsOf(connection);
  const { lossy } = ledger;
  const start = ledger.start.bind(ledger);
  const settled = ledger.settled.bind(ledger);
  const ends = new Map<Request, () => void>();
  /** Of what an interceptor stands around: the call itself is noted, and what it sends is no other. */
  let outer: { readonly madeAt: Error; readonly isStream: boolean } | undefined;
  ledger.start = (request, ...rest) => {
    start(request, ...rest);
    if (request.settled || outer?.isStream === false || isNone(request.path)) return;
    ends.set(request, begun.begin(nameOf(request), undefined, outer?.madeAt));
  };
  ledger.settled = (request, ...rest) => {
    ends.get(request)?.();
    ends.delete(request);
    settled(request, ...rest);
  };
  if (lossy !== undefined) {
    const publish = lossy.publish.bind(lossy);
    lossy.publish = (target, event, options, { resolve, reject }) => {
      const end = begun.begin(`a publish to ${target.name}`);
      const ending =
        <Value>(take: (value: Value) => void) =>
        (value: Value): void => {
          end();
          take(value);
        };
      try {
        publish(target, event, options, { resolve: ending(resolve), reject: ending(reject) });
      } catch (error) {
        end();
        throw error;
      }
    };
  }
  const { around } = connection;
  if (around === undefined) return;
  const watched: typeof around = (what, input, options, send) => {
    const isStream = what.kind === 'stream';
    const name =
      what.kind === 'publish' ? `a publish to ${what.topic}` : `a ${isStream ? 'stream' : 'call'} of ${what.path}`;
    const madeAt = new Error(name);
    const end = begun.begin(name, undefined, madeAt);
    const answer = around(what, input, options, (given, terms) => {
      outer = { madeAt, isStream };
      try {
        return send(given, terms);
      } finally {
        outer = undefined;
      }
    });
    answer.then(end, end);
    return answer;
  };
  Object.assign(connection, { around: watched });
}

/** By its class: a name that is said here is one that the build can't make shorter in the client. */
function requestsOf(connection: Kernel): Requests {
  const found: unknown = Object.values(connection).find((part) => part instanceof Requests);
  return found as Requests;
}

function nameOf(request: Request): string {
  const { topic, path } = request;
  if (topic !== undefined) return `a publish to ${topic}`;
  return `a ${request instanceof StreamRequest ? 'stream' : 'call'} of ${path}`;
}
