import fc from 'fast-check';

const codePoint = fc.oneof(
  fc.integer({ min: 0, max: 0x7f }),
  fc.integer({ min: 0, max: 0xffff }),
  fc.integer({ min: 0, max: 0x10ffff }),
);

const character = codePoint.map((code) => String.fromCodePoint(code));

/** Any text of so many UTF-16 units, lone surrogates and control characters included. */
export function anyText(minLength = 0, maxLength = 40): fc.Arbitrary<string> {
  return fc.string({ unit: character, minLength, maxLength }).map((text) => text.slice(0, maxLength));
}
