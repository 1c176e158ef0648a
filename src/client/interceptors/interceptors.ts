import { capability, type Capability, type Around } from '../kernel/capability.ts';
import { onionOf, type Interceptor } from './interceptor.ts';

/**
 * Functions that stand around every call: headers, tracing, logging, another try. One, or a list, the first outermost.
 * @throws TypeError for one that is no function
 */
export function interceptors(given: Interceptor | readonly Interceptor[]): Capability<'interceptors'> {
  const onion = onionOf(given);
  return capability('interceptors', (kernel) => {
    if (onion === undefined) return {};
    const around: Around = (what, input, { headers = {}, signal, timeoutMs = kernel.timeoutMs }, send) =>
      onion({ ...what, input, headers, signal, timeoutMs }, (call) => send(call.input, call));
    return { around };
  });
}
