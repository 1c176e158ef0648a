import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { connect, createClient, defineContract, query } from '../../src/index.ts';
import { ScriptedServer, settle } from '../helpers/scripted-server.ts';

/** Files of src in a stack. */
function filesOf(stack: string | undefined): string[] {
  return Array.from((stack ?? '').matchAll(/\/src\/([\w/-]+\.ts)/g), ([, file]) => file!);
}

const contract = defineContract({ ping: query() });

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

test('a call passes at most six files from its function to the socket', async () => {
  const server = new ScriptedServer();
  const connection = connect('ws://test/', { WebSocket: server.WebSocket });
  const client = createClient(contract, connection);
  await (await server.socket()).welcome();
  await settle();
  const files = new Set<string>();
  const note = (): void => {
    for (const file of filesOf(new Error('here').stack)) files.add(file);
  };
  const inner = globalThis.queueMicrotask;
  Error.stackTraceLimit = 100;
  vi.stubGlobal('queueMicrotask', (task: () => void) => {
    note();
    inner(task);
  });
  const sends = vi.spyOn(server.WebSocket.prototype as { send(data: string): void }, 'send').mockImplementation(note);
  void client.ping().safe();
  await settle();
  expect(sends).toHaveBeenCalled();
  // In the end the socket of the tests, which is none of them.
  files.delete('transport/memory-transport.ts');
  expect([...files].sort()).toEqual([
    'client/calls/call-function.ts',
    'client/kernel/link-state.ts',
    'client/requests/outbox.ts',
    'client/requests/requests.ts',
    'protocol/frame-batch.ts',
    'transport/line-link.ts',
  ]);
  await connection.close();
});
