import { promisify } from 'node:util';
import { afterEach, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { defineContract, query } from '../../src/index.ts';
import { connectedPair } from '../../src/testing/index.ts';

const contract = defineContract({ echo: query({ input: z.string(), output: z.string() }) });
const watched = () => connectedPair(contract, { echo: ({ input }) => input }, { watchTimers: true, failOnLeaks: true });

const real = { setTimeout, setInterval, clearTimeout, clearInterval };
afterEach(() => expect({ setTimeout, setInterval, clearTimeout, clearInterval }).toEqual(real));

const here = /^(.*), at .*test\/testing\/leaks-timers\.test\.ts:\d+:\d+\)?$/;

test('timers that wait are told, with where they were set, and the functions are as before at the end', async () => {
  const pair = watched();
  await pair.client.echo('a');
  const timeout = setTimeout(() => undefined, 60_000);
  const interval = setInterval(() => undefined, 60_000);
  expect(pair.leaks().map((leak) => here.exec(leak)?.[1])).toEqual(['a timeout', 'an interval']);
  await expect(pair[Symbol.asyncDispose]()).rejects.toThrow(/left open: a timeout, at .*\nan interval, at /);
  clearTimeout(timeout);
  clearInterval(interval);
});

test('timers that were cleared or have run are none, however that is done', async () => {
  await using pair = watched();
  clearTimeout(setTimeout(() => undefined, 60_000));
  clearTimeout(Number(setTimeout(() => undefined, 60_000)));
  clearInterval(setInterval(() => undefined, 60_000));
  expect(await new Promise((resolve) => setTimeout(resolve, 0, 'an argument'))).toBe('an argument');
  expect(await promisify(setTimeout)(0, 'promised')).toBe('promised');
  expect(pair.leaks()).toEqual([]);
});

test('those of the package are its own: a client that is connected has some', async () => {
  await using pair = watched();
  await pair.client.echo('a');
  expect(pair.connection.status.state).toBe('connected');
  expect(pair.leaks()).toEqual([]);
});

test('it goes with fake timers that came before and go before', async () => {
  vi.useFakeTimers();
  await using pair = watched();
  setTimeout(() => undefined, 1_000);
  expect(pair.leaks()).toHaveLength(1);
  vi.advanceTimersByTime(1_000);
  expect(pair.leaks()).toEqual([]);
  vi.useRealTimers();
});

test('without the option nothing is watched', async () => {
  await using pair = connectedPair(contract, { echo: ({ input }) => input });
  const timeout = setTimeout(() => undefined, 60_000);
  expect([pair.leaks(), setTimeout]).toEqual([[], real.setTimeout]);
  clearTimeout(timeout);
});
