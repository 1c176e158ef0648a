/** A page that shows a list with one of the hooks, and counts. The address says which: `?hook=useTopic`. */
import { createElement, useEffect, useState, type ReactNode } from 'react';
import { createRoot } from 'react-dom/client';
import reactUseWebSocket, { ReadyState } from 'react-use-websocket';
import { connect, createClient } from 'tautline';
import { useTopic } from 'tautline/react';
import { contract } from './contract.ts';
import { EVENTS, type Figures, type HookName } from './figures.ts';

/** Nothing was rendered for so long after the last event: nothing more will come of it. */
const QUIET_MS = 1_000;

const counts = { renders: 0, frames: 0, errors: 0, received: 0 };
let shown: readonly number[] = [];
let firstAt: number | undefined;
let changedAt = performance.now();
let framesAtChange = 0;

interface Shown {
  readonly isLive: boolean;
  readonly list: readonly number[];
}

/** What pages do by hand: the last message is state, and an effect puts it to the list. */
function useTextbook(url: string): Shown {
  const [isLive, setLive] = useState(false);
  const [last, setLast] = useState<number>();
  const [list, setList] = useState<readonly number[]>([]);
  useEffect(() => {
    const socket = new WebSocket(url);
    socket.onopen = () => setLive(true);
    socket.onmessage = ({ data }: MessageEvent<string>) => {
      counts.received++;
      setLast(JSON.parse(data) as number);
    };
    return () => socket.close();
  }, [url]);
  useEffect(() => {
    if (last !== undefined) setList((before) => [...before, last]);
  }, [last]);
  return { isLive, list };
}

/** As its readme puts messages to a list. */
function useReactUseWebSocket(url: string): Shown {
  const [list, setList] = useState<readonly number[]>([]);
  const { lastMessage, readyState } = reactUseWebSocket.default(url, { onMessage: () => counts.received++ });
  useEffect(() => {
    if (lastMessage !== null) setList((before) => [...before, JSON.parse(lastMessage.data as string) as number]);
  }, [lastMessage]);
  return { isLive: readyState === ReadyState.OPEN, list };
}

function useTautline(pace: 'frame' | undefined): Shown {
  const [room] = useState(() => createClient(contract, connect('/tautline')).ticks());
  const { status, data = [] } = useTopic(room, { pace });
  return { isLive: status === 'live', list: data };
}

const HOOKS: Readonly<Record<HookName, () => Shown>> = {
  useTopic: () => useTautline(undefined),
  "useTopic, pace 'frame'": () => useTautline('frame'),
  'useState and useEffect': () => useTextbook('/raw'),
  'react-use-websocket': () => useReactUseWebSocket(`ws://${location.host}/raw`),
};

function List({ use }: { readonly use: () => Shown }): ReactNode {
  const { isLive, list } = use();
  counts.renders++;
  useEffect(() => {
    if (list.length === 0) return;
    firstAt ??= performance.now();
    changedAt = performance.now();
    framesAtChange = counts.frames;
    shown = list;
  });
  return createElement(
    'main',
    { className: isLive ? 'live' : 'pending' },
    createElement('h1', undefined, list.length),
    list.slice(-20).map((event) => createElement('p', { key: event }, `event ${event}`)),
  );
}

addEventListener('error', () => counts.errors++);
addEventListener('unhandledrejection', () => counts.errors++);
createRoot(document.body).render(
  createElement(List, { use: HOOKS[new URLSearchParams(location.search).get('hook') as HookName] }),
);

/** Counts from now on: renders, frames and errors. */
function begin(): void {
  Object.assign(counts, { renders: 0, frames: 0, errors: 0, received: 0 });
  const count = (): void => {
    counts.frames++;
    requestAnimationFrame(count);
  };
  requestAnimationFrame(count);
}

/** The figures, when nothing more will be shown. */
function figures(): Promise<Figures> {
  return new Promise((resolve) => {
    const look = (): void => {
      const isAll = counts.received >= EVENTS || shown.at(-1) === EVENTS - 1;
      if (!isAll || performance.now() - changedAt < QUIET_MS) return void requestAnimationFrame(look);
      const { renders, errors } = counts;
      const ms = changedAt - (firstAt ?? changedAt);
      resolve({ shown: new Set(shown).size, renders, frames: framesAtChange, errors, ms });
    };
    look();
  });
}
Object.assign(globalThis, { begin, figures });
