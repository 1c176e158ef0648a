import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { decodeClientFrame } from '../../src/protocol/client-messages.ts';
import { decodeServerFrame, serverMessages } from '../helpers/server-frame.ts';
import { MAX_DEPTH } from '../../src/protocol/json-depth.ts';
import type { Decoded } from '../../src/protocol/read-frame.ts';
import { encodeFrame } from '../../src/protocol/encode.ts';
import { clientMessages } from '../../src/protocol/client-messages.ts';
import type { ClientMessage, ServerMessage } from '../../src/protocol/messages.ts';
import { encodeMessage } from './encode-message.ts';
import { clientMessage, serverMessage } from './messages.arbitrary.ts';
import { anyText } from './text.arbitrary.ts';

const membersOfObject = Object.getOwnPropertyNames(Object.prototype);

afterEach(() => {
  expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(membersOfObject);
});

/** What holds of any result, whatever the text was. */
function expectResult(decoded: Decoded<ClientMessage | ServerMessage>, names: ReadonlySet<string>): void {
  expect(Object.keys(decoded).sort()).toEqual(['error', 'ignored', 'isVetted', 'malformed', 'messages']);
  for (const [name] of decoded.messages) expect(names).toContain(name);
  for (const { name, problem, id, n, topic } of decoded.malformed) {
    expect(names).toContain(name);
    expect(problem).not.toBe('');
    // An address is complete: an id, or a number and its topic.
    if (id === undefined) expect([typeof n, typeof topic]).toEqual(['number', 'string']);
    else expect([id > 0, n, topic]).toEqual([true, undefined, undefined]);
  }
  expect(decoded.error === null || typeof decoded.error.reason === 'string').toBe(true);
}

function expectTotal(frame: string): void {
  expectResult(decodeClientFrame(frame), new Set(clientMessages.keys()));
  expectResult(decodeServerFrame(frame), new Set(serverMessages.keys()));
}

const messages = fc.array(fc.oneof(clientMessage, serverMessage), { minLength: 1, maxLength: 4 });
const names = fc.constantFrom(...clientMessages.keys(), ...serverMessages.keys(), '__proto__', 'constructor');

describe('A decoder bears', () => {
  test('any text.', () => {
    fc.assert(fc.property(anyText(0, 200), expectTotal));
  });

  test('any JSON, alone and as the content of a frame.', () => {
    fc.assert(
      fc.property(
        fc.jsonValue().map((value) => JSON.stringify(value)),
        (json) => {
          expectTotal(json);
          expectTotal(`[${json}]`);
        },
      ),
    );
  });

  test('any slots behind a known name.', () => {
    const slot = fc.oneof(fc.jsonValue(), fc.constant({ __proto__: null }), fc.integer());
    const message = fc.tuple(names, fc.array(slot, { maxLength: 7 })).map(([name, slots]) => [name, ...slots]);
    fc.assert(
      fc.property(fc.array(message, { maxLength: 5 }), (frame) => {
        expectTotal(JSON.stringify(frame));
      }),
      { numRuns: 500 },
    );
  });

  test('valid frames of which a piece was cut, doubled or overwritten.', () => {
    const piece = fc.oneof(
      fc.string({ maxLength: 4 }),
      fc.constantFrom('[', ']', '{', '}', '"', '\\', ',', 'null', '-1', '1e999', '"__proto__":{"x":1},'),
    );
    fc.assert(
      fc.property(messages, fc.nat(), fc.nat({ max: 12 }), piece, (list, at, length, inserted) => {
        const frame = encodeFrame(list.map(encodeMessage));
        const start = at % frame.length;
        expectTotal(frame.slice(0, start) + inserted + frame.slice(start + length));
      }),
      { numRuns: 500 },
    );
  });

  test('brackets without end, without recursion.', () => {
    for (const opening of ['[', '{"a":', '[{"a":']) {
      const frame = opening.repeat(1_000_000);
      expect(decodeClientFrame(frame).error).toEqual({ reason: expect.stringContaining(String(MAX_DEPTH)) });
    }
  });
});

describe('What the encoder writes, the decoder reads:', () => {
  test('every message of a client, alone and in company.', () => {
    fc.assert(
      fc.property(fc.array(clientMessage, { minLength: 1, maxLength: 4 }), (list) => {
        const frame = encodeFrame(list.map(encodeMessage));
        expect(decodeClientFrame(frame)).toEqual({
          messages: list,
          malformed: [],
          ignored: 0,
          error: null,
          isVetted: expect.any(Boolean),
        });
        expect(frame).toBe(JSON.stringify(list));
      }),
      { numRuns: 500 },
    );
  });

  test('every message of a server, alone and in company.', () => {
    fc.assert(
      fc.property(fc.array(serverMessage, { minLength: 1, maxLength: 4 }), (list) => {
        const frame = encodeFrame(list.map(encodeMessage));
        expect(decodeServerFrame(frame)).toEqual({
          messages: list,
          malformed: [],
          ignored: 0,
          error: null,
          isVetted: expect.any(Boolean),
        });
        expect(frame).toBe(JSON.stringify(list));
      }),
      { numRuns: 500 },
    );
  });
});

test('A key named __proto__ becomes a member of the payload and changes no prototype.', () => {
  const { messages: read } = decodeClientFrame('[["call",1,"p",{"__proto__":{"deadlineMs":5}},{"__proto__":{"a":1}}]]');
  const [call] = read;
  expect(call).toHaveLength(5);
  expect(Object.keys(call?.[4] as object)).toEqual(['__proto__']);
  expect(Object.getPrototypeOf(call?.[4])).toBe(Object.prototype);
  expect((call?.[3] as { deadlineMs?: number }).deadlineMs).toBeUndefined();
});

test('Messages that nobody knows are counted.', () => {
  const { ignored, messages: read } = decodeClientFrame('[["future"],["ping",1],["constructor",{}],["__proto__"]]');
  expect([ignored, read]).toEqual([3, [['ping', 1]]]);
});

test('The reason of a fault names the message and what is wrong with it.', () => {
  expect(decodeClientFrame('[["cancel",0]]').error).toEqual({
    reason: 'malformed cancel: id must be a positive safe integer',
  });
  expect(decodeServerFrame('[["error",3]]').malformed).toEqual([
    { name: 'error', id: 3, problem: 'the error needs a code and a message, retryAfterMs a number, 0 or more' },
  ]);
});

test.each([
  ['a value of 60 levels', `${'['.repeat(60)}${']'.repeat(60)}`, true],
  ['a value of 61 levels', `${'['.repeat(61)}${']'.repeat(61)}`, false],
  ['objects of 60 levels', `${'{"a":'.repeat(60)}1${'}'.repeat(60)}`, true],
  ['objects of 61 levels', `${'{"a":'.repeat(61)}1${'}'.repeat(61)}`, false],
  ['a key __proto__', '[{"a":[{"__proto__":1}]}]', false],
  ['a text __proto__', '["__proto__"]', true],
])('%s: whether a codec need not look once more', (_title, json, isVetted) => {
  const decoded = decodeServerFrame(`[["reply",1,${json}],["done",2]]`);
  expect([decoded.isVetted, decoded.error, decoded.messages.length]).toEqual([isVetted, null, 2]);
});
