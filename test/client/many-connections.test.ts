import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { connect, type Connection } from '../../src/index.ts';
import { fakeWebSockets } from '../helpers/fake-web-socket.ts';

const made: Connection[] = [];
const add = (url: string): Connection => {
  const connection = connect(url, { WebSocket: fakeWebSockets().WebSocket, lifecycle: false });
  made.push(connection);
  return connection;
};

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(console, 'warn').mockReturnValue();
});
afterEach(async () => {
  await Promise.all(made.splice(0).map((connection) => connection.close()));
  vi.useRealTimers();
});

test('a page with the fourth connection to one URL is warned, once, and told what to do', () => {
  vi.stubGlobal('document', {});
  for (let count = 0; count < 3; count++) add('ws://one/ws');
  add('ws://other/ws');
  expect(console.warn).not.toHaveBeenCalled();
  add('ws://one/ws');
  add('ws://one/ws');
  expect(vi.mocked(console.warn).mock.calls).toEqual([
    [
      expect.stringMatching(
        /^Tautline: this page holds 4 connections to ws:\/\/one\/ws\. Make one.*hot\?\.data\.connection/,
      ),
    ],
  ]);
});

test('closed ones do not count, and elsewhere than in a page nobody is warned', async () => {
  vi.stubGlobal('document', {});
  for (let count = 0; count < 6; count++) await add('ws://one/ws').close();
  for (let count = 0; count < 3; count++) add('ws://one/ws');
  vi.stubGlobal('document', undefined);
  for (let count = 0; count < 6; count++) add('ws://two/ws');
  expect(console.warn).not.toHaveBeenCalled();
});
