import type { UrlOption } from '../transport/transport-options.ts';
import { calls } from './calls/call-function.ts';
import { resolveConnectOptions, type ConnectOptions } from './connect-options.ts';
import { credentials } from './credentials/credentials.ts';
import { flow } from './flow/flow.ts';
import { interceptors } from './interceptors/interceptors.ts';
import type { Capability } from './kernel/capability.ts';
import { ClientConnection } from './kernel/client-connection.ts';
import type { Connection } from './kernel/connection.ts';
import { lazily } from './lazy/lazily.ts';
import { pageLifecycle } from './lifecycle/page-lifecycle.ts';
import { lossy } from './lossy/lossy-publishes.ts';
import { moves } from './moves/moves.ts';
import { presences } from './presence/presences.ts';
import { record } from './record/flight-recorder.ts';
import { streams } from './streams/stream-function.ts';
import { topicEvents } from './topic-events/topic-events.ts';
import { topics } from './topics/topic-handle.ts';

/**
 * Connects to a Tautline server, and stays connected until {@link Connection.close}, or, with `lazy`, while it is needed.
 * Returns at once: what is asked meanwhile waits. It has everything that a client can do; who counts bytes takes
 * `connect` of `tautline/core` and what it uses.
 * @throws TypeError or RangeError for options that make no sense, naming the option and the value
 */
export function connect(url: UrlOption, options: ConnectOptions = {}): Connection {
  const { auth, lifecycle, suspendAfterHiddenMs, intercept } = options;
  const { lazy, idleMs, flow: marks, topics: kept } = resolveConnectOptions(options);
  const use: Capability[] = [
    record(),
    calls(),
    flow(marks),
    streams(),
    topics(kept),
    topicEvents(),
    presences(),
    lossy(),
    moves(),
    credentials(auth),
    pageLifecycle({ lifecycle, suspendAfterHiddenMs }),
  ];
  if (intercept !== undefined) use.push(interceptors(intercept));
  if (lazy) use.push(lazily({ idleMs }));
  return new ClientConnection(url, options, use);
}
