import { utf8Length } from '../../protocol/utf8.ts';
import { toText } from './web-socket-arguments.ts';

/** What a socket carries. */
export type WebSocketData = string | ArrayBuffer | ArrayBufferView<ArrayBuffer> | Blob;

/**
 * What `send()` was given, as Web IDL's `(BufferSource or Blob or USVString)` reads it: what is not binary is text.
 * @throws TypeError for a symbol, and for a view on shared memory
 */
export function toData(data: unknown): WebSocketData {
  if (isArrayBuffer(data) || isBlob(data)) return data;
  if (!ArrayBuffer.isView(data)) return toText(data);
  if (isArrayBuffer(data.buffer)) return data as ArrayBufferView<ArrayBuffer>;
  throw new TypeError('A view on shared memory can not be sent.');
}

/** Bytes that it takes on the wire, framing aside. */
export function bytesOf(data: WebSocketData): number {
  if (typeof data === 'string') return utf8Length(data);
  return isBlob(data) ? data.size : data.byteLength;
}

/** Something that no later change to the original reaches. Text and Blobs never change. */
export function copyOf(data: WebSocketData): WebSocketData {
  if (typeof data === 'string' || isBlob(data)) return data;
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice()
    : data.slice(0);
}

/** By its tag, so that one from another frame of the page counts, too. */
function isArrayBuffer(value: unknown): value is ArrayBuffer {
  return tagOf(value) === '[object ArrayBuffer]';
}

function isBlob(value: unknown): value is Blob {
  const tag = tagOf(value);
  return tag === '[object Blob]' || tag === '[object File]';
}

function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value);
}
