// @vitest-environment jsdom
import { useStore } from '@nanostores/vue';
import type { ReadableAtom } from 'nanostores';
import { from as observableFrom, type ObservableInput } from 'rxjs';
import type * as Solid from 'solid-js';
import { fromStore, get } from 'svelte/store';
import { effectScope, onScopeDispose, shallowRef, watch } from 'vue';
import { describe, expect, test } from 'vitest';
import type { Store, TopicView } from '../../src/index.ts';
import { scripted } from '../helpers/scripted-client.ts';
import { settle, type ScriptedSocket } from '../helpers/scripted-server.ts';

/** What a browser is given: the build for Node renders once. Only that one is typed. */
const browserBuild: string = 'solid-js/dist/solid.js';
const { createEffect, createRoot, from: signalFrom } = (await import(browserBuild)) as typeof Solid;

const world = scripted();

type Counts = Readonly<Record<string, number>>;
type View = TopicView<Counts>;

/** What a UI shows of `view` at first, when there is a state, after an event, and on a lost connection. */
const SHOWN = ['pending', 'pending 1', 'live 1', 'live 2', 'recovering 2'];

const text = ({ status, data }: View): string => [status, data?.a].filter((part) => part !== undefined).join(' ');

async function happen(socket: ScriptedSocket): Promise<void> {
  await settle();
  await socket.say(['subscribed', 1, 'counts', ['E', 0], 'live'], ['snapshot', 'counts', ['E', 0], { a: 1 }]);
  await socket.say(['event', 'counts', 1, { key: 'a', count: 2 }]);
  await socket.cut();
  await settle();
}

/** Shows a store in the way of a framework; gives what ends that. */
const frameworks: ReadonlyArray<readonly [name: string, show: (view: Store<View>, shown: string[]) => () => void]> = [
  [
    'Vue, as the page has it',
    (view, shown) => {
      const scope = effectScope();
      scope.run(() => {
        const ref = shallowRef<View>();
        onScopeDispose(view.subscribe((value) => (ref.value = value)));
        watch(ref, (value) => value && shown.push(text(value)), { immediate: true, flush: 'sync' });
      });
      return () => scope.stop();
    },
  ],
  [
    'Vue, by @nanostores/vue',
    (view, shown) => {
      const scope = effectScope();
      scope.run(() => {
        const ref = useStore(view as unknown as ReadableAtom<View>);
        watch(ref, (value) => shown.push(text(value as View)), { immediate: true, flush: 'sync' });
      });
      return () => scope.stop();
    },
  ],
  ['Svelte, as a store', (view, shown) => view.subscribe((value) => shown.push(text(value)))],
  [
    'Solid, by from',
    (view, shown) =>
      createRoot((dispose) => {
        const signal = signalFrom<View>((set) => view.subscribe((value) => set(() => value)));
        createEffect(() => {
          const value = signal();
          if (value !== undefined) shown.push(text(value));
        });
        return dispose;
      }),
  ],
  [
    'RxJS, by from',
    (view, shown) => {
      const subscription = observableFrom(view as unknown as ObservableInput<View>).subscribe((value) =>
        shown.push(text(value)),
      );
      return () => subscription.unsubscribe();
    },
  ],
];

describe.each(frameworks)('%s', (_name, show) => {
  test('shows each change of a topic, and has it left when it goes', async () => {
    const { view } = world.start().counts();
    const socket = await world.welcomed();
    const shown: string[] = [];
    const stop = show(view, shown);
    await happen(socket);
    expect(shown).toEqual(SHOWN);
    stop();
    await world.connection.close();
    expect(shown).toEqual(SHOWN);
  });
});

test('Svelte reads a store by get and fromStore', async () => {
  const { view } = world.start().counts();
  const socket = await world.welcomed();
  expect(get(view).status).toBe('pending');
  const stop = view.listen(() => undefined);
  await happen(socket);
  expect(text(get(view) as View)).toBe('recovering 2');
  expect(fromStore(view).current).toBe(view.value);
  stop();
});
