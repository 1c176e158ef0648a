import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as CloseCode from '../../src/protocol/close-code.ts';
import { decodeClientFrame } from '../../src/protocol/client-messages.ts';
import { decodeServerFrame, serverMessages } from '../helpers/server-frame.ts';
import { MAX_DEPTH } from '../../src/protocol/json-depth.ts';
import { clientMessages } from '../../src/protocol/client-messages.ts';

const page = readFileSync(new URL('../../src/protocol/PROTOCOL.md', import.meta.url), 'utf8');

/** Frames of the examples, in their order, with what the page leaves out put back. */
const frames = [...page.replaceAll(/\n {6}(?=["[])/g, '').matchAll(/^\d+ ([→←]) (.+)$/gm)].map(
  ([, way, text = '']) => ({
    from: way === '→' ? 'client' : 'server',
    frame: text
      .replaceAll('Zk3f…', 'Zk3f'.repeat(6))
      .replaceAll(
        ',…',
        ',"identity":"","windowMs":1,"heartbeatMs":1,"limits":{"frameBytes":1,"calls":8,"streams":1,"items":1,"subscriptions":1}',
      ),
  }),
);

test('Every example of the page is a frame that the decoder takes whole, but for the last, which shows faults.', () => {
  const faulty = frames.filter(({ from, frame }) => {
    const { malformed, error } = from === 'client' ? decodeClientFrame(frame) : decodeServerFrame(frame);
    return error !== null || malformed.length > 0;
  });
  expect(frames.length).toBeGreaterThan(30);
  expect(faulty).toEqual([frames.at(-2)]);
});

test('The page describes every message of each side, in the section of its side.', () => {
  const [, client = '', server = ''] = page.split(/^### From the .*$/m);
  const described = (section: string) =>
    new Set([...section.matchAll(/^\| (.+?) \|/gm)].flatMap(([, cell = '']) => cell.match(/(?<=\[")\w+/g) ?? []));
  expect(described(client)).toEqual(new Set(clientMessages.keys()));
  expect(described(server.split('\n## ')[0] ?? '')).toEqual(new Set(serverMessages.keys()));
});

test('The page names every close code, and the depth of a frame.', () => {
  const table = page.split('## Close codes')[1] ?? '';
  expect(Object.values({ ...CloseCode }).filter((code) => !table.includes(String(code)))).toEqual([]);
  expect(page).toContain(`at most ${MAX_DEPTH} levels`);
});
