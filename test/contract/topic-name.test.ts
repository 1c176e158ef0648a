import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { templatesClash } from '../../src/contract/check-template.ts';
import { matchTopic } from '../../src/contract/match-topic.ts';
import { MAX_TOPIC_NAME_LENGTH, parseTemplate } from '../../src/contract/topic-name.ts';

function both(template: string) {
  const { fill } = parseTemplate(template);
  return { fill, match: (name: string) => matchTopic(template, name) };
}

describe('A template', () => {
  test.each<[string, string, RegExp]>([
    ['is empty', '', /the template is empty; write one like 'rooms\/\{roomId\}'/],
    ['has an empty segment', 'rooms//a', /a segment is empty/],
    ['begins with a slash', '/rooms', /a segment is empty/],
    ['ends with a slash', 'rooms/', /a segment is empty/],
    ['has an open brace', 'rooms/{id', /the segment '\{id' is neither a literal nor one whole parameter/],
    ['has a stray brace', 'rooms/id}', /the segment 'id\}' is neither/],
    ['has nested braces', 'rooms/{{id}}', /is neither/],
    ['has a parameter that fills no segment', 'rooms/a{b}', /the segment 'a\{b\}' is neither/],
    ['has two parameters in one segment', '{a}{b}', /is neither/],
    ['has a nameless parameter', 'rooms/{}', /\{\} is no parameter; name it like a variable/],
    ['has a parameter with a space', 'rooms/{room id}', /\{room id\} is no parameter/],
    ['has a parameter __proto__', 'rooms/{__proto__}', /\{__proto__\} is no parameter/],
    ['has a parameter twice', '{a}/x/{a}', /the parameter \{a\} is there twice/],
    ['has a literal with a space', 'my rooms', /would be percent-encoded/],
    ['has a literal that is encoded', 'my%20rooms', /would be percent-encoded/],
    ['has a literal with a lone surrogate', 'a\ud800', /would be percent-encoded/],
    ['is too long', 'a'.repeat(201), /201 characters; at most 200/],
  ])('that %s is refused.', (_, template, message) => {
    expect(() => parseTemplate(template)).toThrow(TypeError);
    expect(() => parseTemplate(template)).toThrow(message);
  });

  test('that is no string is refused.', () => {
    expect(() => parseTemplate(7 as never)).toThrow('the template must be a string, got number');
  });

  test('has parameters in the order of the template.', () => {
    expect(parseTemplate('a/{x}/b/{y}').paramNames).toStrictEqual(['x', 'y']);
    expect(parseTemplate('a'.repeat(200)).paramNames).toStrictEqual([]);
  });
});

describe('A name', () => {
  test('is filled with percent-encoded parameters, and matched again.', () => {
    const { fill, match } = both('rooms/{roomId}/{topic}');
    expect(fill({ roomId: '42', topic: 'a/b {ü}' })).toBe('rooms/42/a%2Fb%20%7B%C3%BC%7D');
    expect(match('rooms/42/a%2Fb%20%7B%C3%BC%7D')).toStrictEqual({ roomId: '42', topic: 'a/b {ü}' });
  });

  test('carries any well-formed parameters there and back.', () => {
    const { fill, match } = both('{a}/x/{constructor}');
    const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }).filter((value) => value.isWellFormed());
    fc.assert(
      fc.property(text, text, (a, constructor) => {
        expect(Object.entries(match(fill({ a, constructor }))!)).toStrictEqual([
          ['a', a],
          ['constructor', constructor],
        ]);
      }),
    );
  });

  test.each<[string, unknown, RegExp]>([
    ['is missing', {}, /topic 'rooms\/\{roomId\}': the parameter roomId must be a non-empty string, got undefined/],
    ['is empty', { roomId: '' }, /got an empty string/],
    ['is a number', { roomId: 42 }, /got number/],
    ['is null', { roomId: null }, /got null/],
    ['is inherited', Object.create({ roomId: 'a' }), /got undefined/],
    ['has a lone surrogate', { roomId: 'a\ud800' }, /the parameter roomId has a lone surrogate/],
    ['is too long', { roomId: 'a'.repeat(1019) }, /gets 1025 characters .* at most 1024/],
  ])('is not made when a parameter %s.', (_, params, message) => {
    const { fill } = parseTemplate('rooms/{roomId}');
    expect(() => fill(params as never)).toThrow(TypeError);
    expect(() => fill(params as never)).toThrow(message);
  });

  test('is not made without parameters, nor with what an object inherits.', () => {
    expect(() => parseTemplate('rooms/{id}').fill(undefined as never)).toThrow('the parameter id must be');
    expect(() => parseTemplate('rooms/{constructor}').fill({})).toThrow('the parameter constructor must be');
  });

  test.each([
    ['another literal', 'room/42'],
    ['a segment too few', 'rooms'],
    ['a segment too many', 'rooms/42/1'],
    ['an empty parameter', 'rooms/'],
    ['an encoding in lower case', 'rooms/a%2fb'],
    ['a character encoded without need', 'rooms/%61'],
    ['a character not encoded', 'rooms/a b'],
    ['a broken encoding', 'rooms/%zz'],
    ['a truncated encoding', 'rooms/%E2%82'],
    ['an encoded surrogate', 'rooms/%ED%A0%80'],
    ['a lone surrogate', 'rooms/\ud800'],
    ['nothing', ''],
  ])('with %s matches nothing.', (_, name) => {
    expect(matchTopic('rooms/{roomId}', name)).toBeUndefined();
  });

  test('that is longer than any that can be filled matches nothing.', () => {
    const { fill, match } = both('{a}');
    const longest = 'a'.repeat(MAX_TOPIC_NAME_LENGTH);
    expect(match(fill({ a: longest }))).toStrictEqual({ a: longest });
    expect(match(`${longest}a`)).toBeUndefined();
  });

  test('that matches is the only one of its parameters, whatever the string.', () => {
    const { fill, match } = both('{a}/x/{b}');
    const piece = fc.constantFrom('a', '/', 'x', '%', '%2F', '%2f', '%41', '%C3%BC', '%FF', ' ', '\ud800', 'ü', '..');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.array(piece).map((pieces) => pieces.join('')),
        ),
        (tail) => {
          for (const name of [tail, `a/x/${tail}`]) {
            const params = match(name);
            expect(params === undefined ? name : fill(params)).toBe(name);
          }
        },
      ),
    );
  });
});

describe('Two templates', () => {
  test.each([
    ['rooms/{a}', 'rooms/new', true],
    ['rooms/{a}', 'rooms/{b}', true],
    ['{a}/x', 'rooms/{b}', true],
    ['lobby', 'lobby', true],
    ['rooms/{a}', 'users/{a}', false],
    ['rooms/{a}', 'rooms/{a}/x', false],
    ['rooms/{a}/x', 'rooms/{a}/y', false],
    ['lobby', 'Lobby', false],
  ])('%s and %s clash: %s.', (one, other, clash) => {
    expect(templatesClash(one, other)).toBe(clash);
    expect(templatesClash(other, one)).toBe(clash);
  });
});
