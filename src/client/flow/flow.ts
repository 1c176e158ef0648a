import { DEVELOPMENT } from '../../development.ts';
import type { FlowMarks } from '../../primitives/flow-control.ts';
import { pong } from '../../protocol/server-messages.ts';
import { capability, type Capability } from '../kernel/capability.ts';
import { checkPositive } from '../kernel/check-positive.ts';
import type { LinkState } from '../kernel/link-state.ts';
import { Backlog } from './backlog.ts';
import { SocketFlow } from './link-flow.ts';
import { RoundTrip } from './round-trip.ts';

/** Watermarks of what lies between the client and the server. */
export interface FlowOptions {
  /**
   * At most so many bytes are written that the server is not known to have taken in; also the level of queue and
   * buffer together that is told as `congested`. @default 1 MiB
   */
  readonly highWaterMark?: number | undefined;
  /** Below so many bytes writing goes on, and `drained` is told. @default 256 KiB, a quarter of a lower high mark */
  readonly lowWaterMark?: number | undefined;
}

/** Defaults of {@link FlowOptions}. */
export const FLOW_DEFAULTS: FlowMarks = { highWaterMark: 1024 * 1024, lowWaterMark: 256 * 1024 };

/**
 * Fills in the defaults.
 * @throws RangeError for a number that is no positive one, and for a low mark that is not below the high one
 */
export function resolveFlow({ highWaterMark, lowWaterMark }: FlowOptions = {}): FlowMarks {
  const high = highWaterMark ?? FLOW_DEFAULTS.highWaterMark;
  checkPositive('flow.highWaterMark', high);
  const low = lowWaterMark ?? Math.min(FLOW_DEFAULTS.lowWaterMark, high / 4);
  checkPositive('flow.lowWaterMark', low);
  if (low < high) return { highWaterMark: high, lowWaterMark: low };
  const what = DEVELOPMENT && `flow.lowWaterMark must be below flow.highWaterMark (${high}), not ${low}`;
  throw new RangeError(what || 'flow.lowWaterMark');
}

/**
 * Flow control: what is written and not known to be taken in stays between watermarks, `congested` and `drained` are told,
 * `drained()` waits for room, and `stats()` knows the round-trip time. Without it the server's window of calls alone bounds
 * what is under way.
 * @throws RangeError for a mark that is no positive number, and for a low mark that is not below the high one
 */
export function flow(options?: FlowOptions): Capability<'flow'> {
  const marks = resolveFlow(options);
  return capability('flow', (kernel) => {
    const { outbox } = kernel;
    const trip = new RoundTrip();
    const flows = new Map<LinkState, SocketFlow>();
    const backlog = new Backlog({
      marks,
      bytes: () => outbox.backlogBytes,
      tell: (event) => {
        const { messages, bytes } = outbox;
        kernel.note(event, { messages, bytes, unanswered: outbox.backlogBytes - bytes });
        kernel.emit(event);
      },
    });
    outbox.levelChanged = () => backlog.look();
    return {
      takes: {
        pong: {
          ...pong,
          take: (link, message: readonly ['pong', number]) => {
            trip.pong(message[1], kernel.now());
            flows.get(link)?.pong(message[1]);
          },
        },
      },
      opened: (link) => {
        trip.restart();
        const parts = { marks, nextPing: () => trip.ping(kernel.now()), room: () => outbox.flush() };
        const socketFlow = new SocketFlow(link, parts);
        link.flow = socketFlow;
        flows.set(link, socketFlow);
      },
      left: (link) => {
        trip.restart();
        flows.get(link)?.stop();
      },
      lost: (link) => {
        flows.get(link)?.stop();
        flows.delete(link);
      },
      drained: () => backlog.drained(),
      stats: () => ({ rttMs: trip.smoothedMs }),
    };
  });
}
