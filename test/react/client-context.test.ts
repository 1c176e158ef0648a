// @vitest-environment jsdom
import { createElement as h } from 'react';
import { renderToString } from 'react-dom/server';
import { expect, test } from 'vitest';
import { createClientContext, useCall } from '../../src/react/index.ts';
import type { plain } from '../helpers/chat-contract.ts';
import { scripted } from '../helpers/scripted-client.ts';
import { Page } from './page.ts';

const world = scripted();
const page = new Page();
const { Provider, useClient } = createClientContext<typeof plain>();

test('each part of a page has the client of the provider above it', async () => {
  const [ada, bob] = [world.start({ lazy: true }), world.start({ lazy: true })];
  const clients: unknown[] = [];
  function Add() {
    const client = useClient();
    clients.push(client);
    // Its types are the contract's.
    const { data }: { data: number | undefined } = useCall(client.add);
    return String(data);
  }
  await page.show(h(Provider, { client: ada, key: 'ada' }, h(Add), h(Provider, { client: bob }, h(Add))));
  expect(new Set(clients)).toEqual(new Set([ada, bob]));
  expect(page.text).toBe('undefinedundefined');
});

test('without one it says so', () => {
  const Lost = () => {
    useClient();
    return null;
  };
  world.start({ lazy: true });
  expect(() => renderToString(h(Lost))).toThrow('<Provider client={client}>');
});
