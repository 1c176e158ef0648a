import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { decodeClientFrame } from '../../src/protocol/client-messages.ts';
import { decodeServerFrame, serverMessages } from '../helpers/server-frame.ts';
import { encodeFrame } from '../../src/protocol/encode.ts';
import { clientMessages } from '../../src/protocol/client-messages.ts';
import type { ClientMessage, ServerMessage } from '../../src/protocol/messages.ts';
import { encodeMessage } from './encode-message.ts';

interface Vector {
  readonly name: string;
  readonly from: 'client' | 'server';
  readonly frame: string;
  readonly messages: ReadonlyArray<ClientMessage | ServerMessage>;
  readonly malformed: ReadonlyArray<{ readonly name: string }>;
  readonly error: boolean;
  readonly canonical: boolean;
}

const folder = new URL('../vectors/', import.meta.url);
const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
const vectors = files.map((file) => {
  const { cases } = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as { cases: Vector[] };
  return { file, cases };
});

test('The vectors hold every message of both sides in its canonical form.', () => {
  const written = (from: string) =>
    new Set(
      vectors
        .flatMap(({ cases }) => cases)
        .filter((vector) => vector.canonical && vector.from === from)
        .flatMap((vector) => vector.messages.map(([name]) => name)),
    );
  expect(written('client')).toEqual(new Set(clientMessages.keys()));
  expect(written('server')).toEqual(new Set(serverMessages.keys()));
});

describe.each(vectors)('$file', ({ cases }) => {
  test('names each case once.', () => {
    expect(new Set(cases.map(({ from, name }) => `${from}: ${name}`)).size).toBe(cases.length);
  });

  test.each(cases)('$from: $name', ({ from, frame, messages, malformed, error, canonical }) => {
    const decoded = from === 'client' ? decodeClientFrame(frame) : decodeServerFrame(frame);
    expect(decoded.messages).toEqual(messages);
    expect(decoded.malformed).toEqual(malformed.map((one) => ({ ...one, problem: expect.stringMatching(/./) })));
    expect(decoded.error).toEqual(error ? { reason: expect.stringMatching(/./) } : null);
    if (canonical) expect(encodeFrame(messages.map(encodeMessage))).toBe(frame);
  });
});
