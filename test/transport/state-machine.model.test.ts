import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { commands, Line, Model } from './state-machine.model.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('whatever happens, in whatever order', () => {
  test('one live socket, timers and listeners of the phase alone, each link lost once, a status for each transition', async () => {
    const setup = fc.record({ seed: fc.nat(), suspendAfterHiddenMs: fc.constantFrom(undefined, 0, 5_000) });
    await fc.assert(
      fc.asyncProperty(setup, fc.commands(commands, { maxCommands: 80, size: 'max' }), async (given, steps) => {
        vi.clearAllTimers();
        const line = new Line(given.seed, given.suspendAfterHiddenMs);
        const model = new Model();
        await fc.asyncModelRun(() => ({ model, real: line }), steps);
        line.bench.transport.close();
        model.held = false;
        line.check(model);
        expect(line.bench.transport.status.state).toMatch('closed');
      }),
      { numRuns: 300 },
    );
  });
});
