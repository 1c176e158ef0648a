import { afterEach, expect, test, vi } from 'vitest';
import { shellLifecycle, type ShellBridge } from '../../src/transport/lifecycle/lifecycle-shell.ts';
import { fakePage } from '../helpers/fake-page.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

function start(): { readonly told: string[]; readonly lifecycle: ReturnType<typeof shellLifecycle>; leave(): void } {
  vi.stubGlobal('tautlineShell', undefined);
  const lifecycle = shellLifecycle();
  const told: string[] = [];
  return { told, lifecycle, leave: lifecycle.listen((signal) => told.push(signal)) };
}

const bridge = (): ShellBridge => (globalThis as unknown as { tautlineShell: ShellBridge }).tautlineShell;

test('the functions of a shell are signals, and what happens to the network of an app that sleeps waits', () => {
  fakePage();
  const { told, lifecycle } = start();
  bridge().sleep();
  expect(lifecycle.hidden()).toBe(true);
  bridge().online();
  expect(lifecycle.hidden()).toBe(true);
  bridge().wake();
  expect(lifecycle.hidden()).toBe(false);
  bridge().offline();
  bridge().online();
  expect(told).toEqual(['hidden', 'wake', 'wake', 'wake']);
});

test('a shell may post them as texts, and nobody else may', () => {
  const { window } = fakePage();
  const { told } = start();
  const post = (data: unknown, source: unknown): void => window.fire('message', { data, source } as never);
  post('tautline:sleep', null);
  post('tautline:wake', globalThis);
  expect(told).toEqual(['hidden', 'wake']);
  post('tautline:sleep', { a: 'frame' });
  post('tautline:rest', null);
  post('tautline:constructor', null);
  post('sleep', null);
  post({ tautline: 'sleep' }, null);
  expect(told).toEqual(['hidden', 'wake']);
});

test('the events of the page count as well, and nothing listens any more when it is left', () => {
  const page = fakePage();
  const { told, leave } = start();
  page.window.fire('focus');
  expect(told).toEqual(['wake']);
  leave();
  expect(page.listeners).toBe(0);
  bridge().sleep();
  expect(told).toEqual(['wake']);
});

test('where there is no page, as on a server, nothing is missing', () => {
  const { told, leave } = start();
  bridge().wake();
  leave();
  expect(told).toEqual(['wake']);
});

test('two of them have names of their own', () => {
  vi.stubGlobal('one', undefined);
  vi.stubGlobal('two', undefined);
  const [one, two] = [shellLifecycle('one'), shellLifecycle('two')];
  (globalThis as unknown as { one: ShellBridge }).one.sleep();
  expect([one.hidden(), two.hidden()]).toEqual([true, false]);
});
