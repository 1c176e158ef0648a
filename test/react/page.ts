import { act, createElement, StrictMode, type ReactNode } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, expect, vi, type MockInstance } from 'vitest';
import type { ScriptedSocket } from '../helpers/scripted-server.ts';

/** A page with one root, in StrictMode; what is rendered last stays until `leave`. */
export class Page {
  #box = document.createElement('div');
  #root: Root | undefined;
  #complaints: MockInstance<typeof console.error> | undefined;

  constructor() {
    beforeEach(() => {
      // React complains there, of updates outside of `act` too.
      this.#complaints = vi.spyOn(console, 'error').mockReset();
      Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
      this.#box = document.createElement('div');
      this.#root = undefined;
    });
    afterEach(async () => {
      await this.leave();
      expect(this.#complaints?.mock.calls).toEqual([]);
    });
  }

  get text(): string {
    return this.#box.textContent;
  }

  async show(...nodes: ReactNode[]): Promise<void> {
    this.#root ??= createRoot(this.#box);
    const root = this.#root;
    await act(async () => root.render(createElement(StrictMode, undefined, ...nodes)));
  }

  async leave(): Promise<void> {
    const root = this.#root;
    this.#root = undefined;
    await act(async () => root?.unmount());
  }
}

/** A server speaks, and React has shown what follows. */
export async function say(socket: ScriptedSocket, ...messages: unknown[]): Promise<void> {
  await act(() => socket.say(...messages));
}
