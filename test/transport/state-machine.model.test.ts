import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { commands, Line, Model, moves } from './state-machine.model.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

describe.each([
  ['without a move', 'at most one socket at any time', commands, false],
  ['with moves', 'more than one socket only while connected, and three at most', [...commands, ...moves], true],
] as const)('whatever happens, in whatever order, %s', (_, sockets, possible, mayMove) => {
  test(`${sockets}; timers and listeners of the phase alone, each link lost once, a status for each transition`, async () => {
    const setup = fc.record({ seed: fc.nat(), suspendAfterHiddenMs: fc.constantFrom(undefined, 0, 5_000) });
    await fc.assert(
      fc.asyncProperty(setup, fc.commands([...possible], { maxCommands: 80, size: 'max' }), async (given, steps) => {
        vi.clearAllTimers();
        const line = new Line(given.seed, given.suspendAfterHiddenMs, mayMove);
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
