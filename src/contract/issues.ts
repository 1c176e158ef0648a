import type { Issue } from '../errors.ts';

/** An issue as JSON can carry it: its path is made of keys and indexes. */
export interface PortableIssue {
  readonly message: string;
  readonly path?: ReadonlyArray<string | number>;
}

/** A peer decides how much is wrong with a value of its own, so what is told of it is bounded: so many issues … */
const MOST_ISSUES = 16;
/** … of so many characters together … */
const MOST_CHARACTERS = 4_096;
/** … each with a sentence of so many, … */
const MESSAGE_CHARACTERS = 256;
/** … a path of so many steps, … */
const MOST_STEPS = 16;
/** … and steps of so many characters. */
const STEP_CHARACTERS = 128;

/** The first issues that a schema found, cut to a size that may be sent: at most 16, of 4096 characters together. */
export function portableIssues(issues: readonly Issue[]): readonly PortableIssue[] {
  const portable: PortableIssue[] = [];
  // Copies, since a library's lists may be arrays of a class of its own, which `slice` and `map` would make more of.
  let left = MOST_CHARACTERS;
  for (const { message, path } of [...issues].slice(0, MOST_ISSUES)) {
    const steps = [...(path ?? [])].slice(0, MOST_STEPS).map(stepOf);
    const text = cut(message, MESSAGE_CHARACTERS);
    left -= steps.reduce<number>((sum, step) => sum + String(step).length, text.length);
    if (left < 0) break;
    portable.push(steps.length === 0 ? { message: text } : { message: text, path: steps });
  }
  return portable;
}

/** The issues in one line, for a message: `text: too long; tags[2]: expected string`. The first 16 at most. */
export function describeIssues(issues: readonly Issue[]): string {
  const told = portableIssues(issues);
  const lines = told.map(({ path, message }) => (path === undefined ? message : `${describePath(path)}: ${message}`));
  if (told.length < issues.length) lines.push(`and ${issues.length - told.length} more`);
  return lines.join('; ');
}

function describePath(path: ReadonlyArray<string | number>): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text;
}

/** Libraries put what they like into a path: the keys of a Map may be anything, and need not even have a text. */
function stepOf(segment: NonNullable<Issue['path']>[number]): string | number {
  const key: unknown = typeof segment === 'object' ? segment.key : segment;
  if (typeof key === 'number') return Number.isFinite(key) ? key : String(key);
  if (typeof key === 'string') return cut(key, STEP_CHARACTERS);
  return typeof key === 'symbol' ? cut(String(key), STEP_CHARACTERS) : `(${typeof key})`;
}

/** Never half of a character that takes two units. */
function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
