import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { root } from '../support/source.ts';

/*
 * What an editor shows of the doc comments of a contract, where its procedures and topics are used. `|` in the app
 * stands before each name that is hovered.
 */

const app = `
  import { connect, createClient, defineContract, mutation, query, stream, topic } from 'tautline';
  import { createServer } from 'tautline/server';
  import { z } from 'zod';
  const contract = defineContract({
    /** Says nothing. */
    ping: query(),
    /** All about messages. */
    messages: {
      /** Sends a message. */
      send: mutation({ input: z.string() }),
      /** Reads them aloud. */
      read: stream({ input: z.string(), output: z.string() }),
    },
    /** What happens in a room. */
    room: topic('rooms/{roomId}', { event: z.string() }),
  });
  const client = createClient(contract, connect('/ws'));
  void client.|ping();
  void client.|messages.|send('');
  client.messages.|read('');
  client.|room({ roomId: '' });
  const send = client.messages.|send;
  async function* read() {}
  createServer(contract, {
    authenticate: ({ token = '' }) => ({ identity: token, context: { user: token } }),
    handlers: {
      |ping: ({ context }) => void context.user,
      |messages: { |send: ({ context }) => void context.user, |read },
      |room: { authorize: () => true },
    },
  });
  createServer(contract, {
    handlers: { |ping: () => undefined, |messages: { |send: () => undefined, |read }, |room: { authorize: () => true } },
  });
`;

const PING = ['ping', 'Says nothing.'];
const MESSAGES = ['messages', 'All about messages.'];
const SEND = ['send', 'Sends a message.'];
const READ = ['read', 'Reads them aloud.'];
const ROOM = ['room', 'What happens in a room.'];

/** Each name that is hovered, and the documentation that is shown for it. */
function hover(): readonly (readonly string[])[] {
  const path = `${root}test/types/app.ts`;
  const text = app.replaceAll('|', '');
  const { config } = ts.readConfigFile(`${root}test/tsconfig.json`, (name) => ts.sys.readFile(name)) as {
    config: object;
  };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, `${root}test`);
  const textOf = (name: string) => (name === path ? text : ts.sys.readFile(name));
  const service = ts.createLanguageService({
    getCompilationSettings: () => options,
    getScriptFileNames: () => [path],
    getScriptVersion: () => '1',
    getScriptSnapshot: (name) => {
      const found = textOf(name);
      return found === undefined ? undefined : ts.ScriptSnapshot.fromString(found);
    },
    getCurrentDirectory: () => root,
    getDefaultLibFileName: (of) => ts.getDefaultLibFilePath(of),
    fileExists: (name) => name === path || ts.sys.fileExists(name),
    readFile: textOf,
  });
  expect(service.getSemanticDiagnostics(path).map(({ messageText }) => messageText)).toEqual([]);
  const [first = '', ...pieces] = app.split('|');
  let at = first.length;
  return pieces.map((piece) => {
    const shown = ts.displayPartsToString(service.getQuickInfoAtPosition(path, at)?.documentation);
    at += piece.length;
    return [/^\w+/.exec(piece)?.[0] ?? '', shown];
  });
}

describe('doc comments of a contract', () => {
  const shown = hover();

  test('are shown where the client calls', () => {
    expect(shown.slice(0, 6)).toEqual([PING, MESSAGES, SEND, READ, ROOM, SEND]);
  });

  test('are shown at the handlers of a server', () => {
    expect(shown.slice(6, 11)).toEqual([PING, MESSAGES, SEND, READ, ROOM]);
  });

  test('are shown at the handlers of a server that authenticates nobody', () => {
    expect(shown.slice(11)).toEqual([PING, MESSAGES, SEND, READ, ROOM]);
  });
});
