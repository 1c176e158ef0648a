import { domException } from '../../primitives/dom-exception.ts';
import { utf8Length } from '../../protocol/utf8.ts';
import { webSocketHref } from '../socket-url.ts';

/*
 * What the WHATWG text and Web IDL say about the arguments of a WebSocket: conversions, checks, and the exceptions by
 * name and type. Values are `unknown`, because code without types passes anything.
 */

/**
 * The URL to connect to: parsed against the page, `http(s)` turned into `ws(s)`.
 * @throws DOMException `SyntaxError` for what is no URL, has another scheme or has a fragment
 */
export function parseWebSocketUrl(url: string): string {
  let href;
  try {
    href = webSocketHref(url, baseUrl());
  } catch {
    throw domException(`${quote(url)} can't be resolved to a URL here.`, 'SyntaxError');
  }
  if (!/^wss?:/.test(href)) {
    throw domException(`The URL must be ws:, wss:, http: or https:, not ${quote(href)}.`, 'SyntaxError');
  }
  if (href.includes('#')) throw domException(`The URL ${quote(href)} has a fragment.`, 'SyntaxError');
  return href;
}

/** A Web IDL string. @throws TypeError for a symbol */
export function toText(value: unknown): string {
  // Not String(value), which takes symbols.
  return ''.concat(value as string);
}

/** The union `DOMString or sequence<DOMString>`, with an empty list for `undefined`. @throws TypeError for a symbol */
export function toProtocols(value: unknown): readonly string[] {
  if (value === undefined) return [];
  const iterable =
    typeof value === 'object' || typeof value === 'function' ? (value as Iterable<unknown> | null) : null;
  return iterable?.[Symbol.iterator] == null ? [toText(value)] : Array.from(iterable, toText);
}

/** RFC 7230 `token`, which RFC 6455 4.1 asks of a subprotocol. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** @throws DOMException `SyntaxError` for one that no header can carry, and for one that comes twice in whatever case */
export function checkProtocols(protocols: readonly string[]): readonly string[] {
  for (const protocol of protocols) {
    if (!TOKEN.test(protocol)) throw domException(`${quote(protocol)} is no subprotocol.`, 'SyntaxError');
  }
  if (new Set(protocols.map((protocol) => protocol.toLowerCase())).size < protocols.length) {
    throw domException(`A subprotocol comes twice in ${protocols.join(', ')}.`, 'SyntaxError');
  }
  return protocols;
}

/** Arguments of `close()`, converted. */
export interface CloseArguments {
  readonly code: number | undefined;
  readonly reason: string | undefined;
}

/** A control frame holds 125 bytes, two of them the code (RFC 6455 5.5). */
const MAX_REASON_BYTES = 123;

/**
 * @throws DOMException `InvalidAccessError` for a code other than 1000 and 3000 to 4999
 * @throws DOMException `SyntaxError` for a reason of more than 123 bytes of UTF-8
 */
export function toCloseArguments(code: unknown, reason: unknown): CloseArguments {
  const checked = code === undefined ? undefined : clampToShort(code);
  const text = reason === undefined ? undefined : toText(reason);
  if (checked !== undefined && checked !== 1000 && !(checked >= 3000 && checked <= 4999)) {
    throw domException(`The close code must be 1000 or from 3000 to 4999, not ${checked}.`, 'InvalidAccessError');
  }
  if (text !== undefined && utf8Length(text) > MAX_REASON_BYTES) {
    throw domException(`The close reason has more than ${MAX_REASON_BYTES} bytes.`, 'SyntaxError');
  }
  return { code: checked, reason: text };
}

/** Web IDL `[Clamp] unsigned short`: halves go to the even neighbour. @throws TypeError for a symbol or a bigint */
function clampToShort(value: unknown): number {
  // Not Number(value), which takes bigints.
  const number = Math.min(Math.max(value as number, 0) || 0, 65_535);
  const rounded = Math.round(number);
  return rounded - number === 0.5 && rounded % 2 === 1 ? rounded - 1 : rounded;
}

function baseUrl(): string | undefined {
  const { document, location } = globalThis as {
    readonly document?: { readonly baseURI?: string };
    readonly location?: { readonly href?: string };
  };
  return document?.baseURI ?? location?.href;
}

/** A query often holds a ticket: it stays out of messages. */
function quote(text: string): string {
  return JSON.stringify(text.replace(/\?.*$/s, ''));
}
