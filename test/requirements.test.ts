import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { findChromium } from './support/chromium.ts';

function folders() {
  const base = mkdtempSync(join(tmpdir(), 'tautline-'));
  onTestFinished(() => rmSync(base, { recursive: true }));
  const [empty, full] = [join(base, 'empty'), join(base, 'full')];
  for (const folder of [empty, full]) mkdirSync(folder);
  const program = join(full, 'chromium-browser');
  writeFileSync(program, '');
  chmodSync(program, 0o755);
  // Of the right name, but no program.
  writeFileSync(join(full, 'chromium'), '');
  return { PATH: [empty, full].join(delimiter), empty, program };
}

test('Chromium is found in PATH', () => {
  const { PATH, program } = folders();
  expect(findChromium({ PATH })).toBe(program);
});

test('CHROMIUM_PATH comes first, and nothing takes its place when it is wrong', () => {
  const { PATH, empty } = folders();
  expect(findChromium({ PATH, CHROMIUM_PATH: process.execPath })).toBe(process.execPath);
  expect(findChromium({ PATH, CHROMIUM_PATH: join(empty, 'chromium') })).toBeUndefined();
});

test('no Chromium is found where there is none', () => {
  expect(findChromium({ PATH: folders().empty })).toBeUndefined();
  expect(findChromium({})).toBeUndefined();
});
