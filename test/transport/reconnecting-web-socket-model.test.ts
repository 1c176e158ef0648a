import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { LifecycleSignal } from '../../src/transport/lifecycle.ts';
import type { FakeWebSocket } from '../helpers/fake-web-socket.ts';
import type { Watched } from './reconnecting-harness.ts';
import { pass, watched } from './reconnecting-harness.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

type Step =
  | { readonly kind: 'open' | 'send' | 'close' | 'peer closes' | 'error' }
  | { readonly kind: 'end'; readonly code: number }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'signal'; readonly signal: LifecycleSignal };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constantFrom('open', 'open', 'send', 'send', 'close', 'peer closes', 'error') }),
  fc.record({ kind: fc.constant('end'), code: fc.constantFrom(1000, 1001, 1005, 1006, 1012, 4000, 4401, 4500) }),
  fc.record({ kind: fc.constant('pass'), ms: fc.constantFrom(0, 100, 5_000, 10_000, 60_000) }),
  fc.record({ kind: fc.constant('signal'), signal: fc.constantFrom('wake', 'restored', 'hidden', 'frozen') }),
);

/** What the newest socket can still do, it does. */
function onNewest({ fake }: Watched, act: (socket: FakeWebSocket) => void): void {
  const newest = fake.made.at(-1);
  if (newest !== undefined && newest.readyState < 3) act(newest);
}

async function take(now: Step, all: Watched, tell: (signal: LifecycleSignal) => void, text: string): Promise<void> {
  const { socket } = all;
  if (now.kind === 'open') onNewest(all, (inner) => (inner.readyState === 0 ? inner.open() : undefined));
  else if (now.kind === 'end') onNewest(all, (inner) => inner.end(now.code));
  else if (now.kind === 'error') onNewest(all, (inner) => inner.fail(3));
  else if (now.kind === 'peer closes') onNewest(all, (inner) => (inner.readyState = 2));
  else if (now.kind === 'pass') await pass(now.ms);
  else if (now.kind === 'signal') tell(now.signal);
  else if (now.kind === 'close') socket.close();
  else socket.send(text);
}

test('whatever happens, there is one live socket at most, and nothing that was sent is lost in silence or doubled', async () => {
  const property = fc.asyncProperty(
    fc.array(step, { maxLength: 40 }),
    fc.boolean(),
    fc.boolean(),
    async (steps, reopen, dynamic) => {
      let tell = (_signal: LifecycleSignal) => {};
      const lifecycle = {
        hidden: () => false,
        listen(listener: typeof tell) {
          tell = listener;
          return () => (tell = () => {});
        },
      };
      const all = watched({ reopen, lifecycle, ...(dynamic && { at: async () => 'ws://server.test/' }) });
      const { socket, fake, told, errors } = all;
      let sent = 0;
      for (const now of steps) {
        const over = socket.readyState === 3;
        await take(now, all, tell, `${sent}`.padStart(4));
        if (now.kind === 'send') sent++;
        expect(fake.mostLive).toBeLessThanOrEqual(1);
        // Four bytes each: on a socket, or counted.
        const gone = fake.made.flatMap((inner) => inner.sent);
        expect(gone.length * 4 + socket.bufferedAmount).toBe(sent * 4);
        expect(gone).toEqual([...new Set(gone)].sort());
        if (over) expect(socket.readyState).toBe(3);
        if (socket.readyState === 3) expect([vi.getTimerCount(), fake.live()]).toEqual([0, []]);
      }
      socket.close();
      await pass(60_000);
      expect([socket.readyState, vi.getTimerCount(), fake.live(), errors]).toEqual([3, 0, [], []]);
      const [opens, closes] = ['open', 'close'].map((type) => told.filter((word) => word.startsWith(type)).length);
      expect(told.at(-1)).toMatch(/^close 3/);
      expect(closes).toBeGreaterThanOrEqual(opens!);
      if (!reopen) expect([closes, opens! <= 1]).toEqual([1, true]);
    },
  );
  await fc.assert(property, { numRuns: 300 });
});
