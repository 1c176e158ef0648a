// @vitest-environment happy-dom
import { act, cleanup, fireEvent, render, screen } from '@testing-library/react';
import { setupServer } from 'msw/node';
import { mockServer } from 'tautline/testing/msw';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { makeClient } from './client.ts';
import { contract } from './contract.ts';
import { Room } from './room.tsx';

const mock = mockServer(contract, {
  handlers: {
    send: async ({ input }) => {
      await mock.topic('room').publish(input);
    },
    room: { authorize: () => true, snapshot: () => ['welcome'] },
  },
});
const msw = setupServer(...mock.handlers);

beforeAll(() => msw.listen());
afterEach(() => {
  cleanup();
  mock.reset();
});
afterAll(() => msw.close());

test('what is said without a line is shown once the line is back', async () => {
  const app = makeClient(mock.fast);
  render(<Room {...app} />);
  await screen.findByText('welcome');

  mock.refuse();
  mock.cut();
  await screen.findByText('offline');
  fireEvent.click(screen.getByText('Say hello'));
  await screen.findByText('Sending');
  expect(screen.queryByText('hello')).toBeNull();

  await act(async () => {
    mock.accept();
    app.connection.wake(); // as a page does whose network is back
    await mock.settled({ connections: [app.connection] });
  });
  screen.getByText('online');
  screen.getByText('hello'); // once, or this throws
  screen.getByText('Say hello');
  expect(mock.calls('send')).toMatchObject([{ input: 'hello', outcome: 'ok' }]);

  await act(() => app.connection.close());
});
