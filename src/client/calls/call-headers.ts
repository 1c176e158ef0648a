import { DEVELOPMENT } from '../../development.ts';
import { utf8Length } from '../../protocol/utf8.ts';
import type { CallOptions } from '../requests/request-options.ts';

/** The headers of one call, as they will be written. */
export interface CallHeaders {
  /** JSON of the app's own without its closing brace; none where there are none. */
  readonly text: string;
  /** UTF-8 bytes of the text. */
  readonly bytes: number;
}

const NONE: CallHeaders = { text: '', bytes: 0 };

/**
 * Takes the headers of a call as they are now.
 * @throws TypeError for what is no object of texts, and for names that are taken
 */
export function callHeaders(given: CallOptions['headers']): CallHeaders {
  if (given === undefined) return NONE;
  const entries =
    typeof given === 'object' && given !== null && !Array.isArray(given) ? Object.entries(given) : undefined;
  if (entries?.every(([, value]) => typeof value === 'string') !== true) {
    throw new TypeError(DEVELOPMENT ? "headers must be an object of texts: { 'x-tenant': 'blue' }" : 'headers');
  }
  for (const name of ['deadlineMs', '__proto__']) {
    if (Object.hasOwn(given, name))
      throw new TypeError(DEVELOPMENT ? `headers: the name ${name} is taken, use another` : `headers: ${name}`);
  }
  if (entries.length === 0) return NONE;
  const text = JSON.stringify(given).slice(0, -1);
  return { text, bytes: utf8Length(text) };
}

/** The headers slot: the app's own, and the time that is left. JSON has no Infinity: who may take for ever names none. */
export function headersSlot({ text }: CallHeaders, leftMs: number): string {
  if (leftMs === Infinity) return text === '' ? 'null' : `${text}}`;
  return `${text === '' ? '{' : `${text},`}"deadlineMs":${Math.ceil(leftMs)}}`;
}
