import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { from } from 'rxjs';
import { perFrame } from '../../src/index.ts';
import { store } from '../../src/primitives/store.ts';

let value = 0;
const listeners = new Set<() => void>();
const numbers = store(
  () => value,
  (listener) => {
    const entry = (): void => listener(value);
    listeners.add(entry);
    return () => listeners.delete(entry);
  },
  () => undefined,
);
const set = (next: number): void => {
  value = next;
  for (const listener of listeners) listener();
};

beforeEach(() => {
  vi.useFakeTimers();
  value = 0;
});
afterEach(() => {
  expect([listeners.size, vi.getTimerCount()]).toEqual([0, 0]);
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

test('tells of the changes of a frame once, with the last value; a subscriber also at once', () => {
  const frames: Array<() => void> = [];
  vi.stubGlobal('requestAnimationFrame', (task: () => void) => frames.push(task));
  vi.stubGlobal('cancelAnimationFrame', () => undefined);
  const paced = perFrame(numbers);
  const [listened, subscribed]: number[][] = [[], []];
  const stops = [paced.listen((now) => listened!.push(now)), paced.subscribe((now) => subscribed!.push(now))];
  for (const next of [1, 2, 3]) set(next);
  expect([paced.get(), paced.value]).toEqual([3, 3]);
  frames.splice(0).forEach((frame) => frame());
  set(4);
  frames.splice(0).forEach((frame) => frame());
  expect([listened, subscribed]).toEqual([
    [3, 4],
    [0, 3, 4],
  ]);
  stops.forEach((stop) => stop());
});

test('tells four times a second where no frame comes, and nothing after the end', () => {
  const heard: number[] = [];
  const stop = perFrame(numbers).listen((now) => heard.push(now));
  set(1);
  vi.advanceTimersByTime(249);
  set(2);
  expect(heard).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(heard).toEqual([2]);
  set(3);
  stop();
  vi.advanceTimersByTime(1_000);
  expect(heard).toEqual([2]);
});

test('is observable, as other stores are', () => {
  const heard: number[] = [];
  const subscription = from(perFrame(numbers) as never).subscribe((now) => heard.push(now));
  set(1);
  vi.advanceTimersByTime(250);
  expect(heard).toEqual([0, 1]);
  subscription.unsubscribe();
});

test('a listener that throws at once goes on listening, and its error is an uncaught one', () => {
  const tasks: Array<() => void> = [];
  vi.stubGlobal('queueMicrotask', (task: () => void) => tasks.push(task));
  const heard: number[] = [];
  const stop = perFrame(numbers).subscribe((now) => {
    heard.push(now);
    if (now === 0) throw new Error('not yet');
  });
  expect(tasks.splice(0)[0]).toThrow('not yet');
  set(1);
  vi.advanceTimersByTime(250);
  expect(heard).toEqual([0, 1]);
  stop();
});
