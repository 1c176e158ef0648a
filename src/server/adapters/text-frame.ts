const FIN_AND_TEXT = 0x81;

/** The bytes of one text frame of a server: whole, without a mask and without an extension (RFC 6455 5.2). */
function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const start = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const bytes = Buffer.allocUnsafe(start + length);
  bytes[0] = FIN_AND_TEXT;
  if (start === 2) {
    bytes[1] = length;
  } else if (start === 4) {
    bytes[1] = 126;
    bytes.writeUInt16BE(length, 2);
  } else {
    bytes[1] = 127;
    bytes.writeUInt32BE(Math.floor(length / 2 ** 32), 2);
    bytes.writeUInt32BE(length % 2 ** 32, 6);
  }
  bytes.write(text, start);
  return bytes;
}

/** The same frame often goes to many sockets, one after the other: its bytes are made once for all. */
export class FrameBytes {
  #frame = '';
  #bytes: Buffer = textFrame('');

  of(frame: string): Buffer {
    if (frame !== this.#frame) {
      this.#frame = frame;
      this.#bytes = textFrame(frame);
    }
    return this.#bytes;
  }
}
