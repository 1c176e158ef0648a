import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import type { Way } from '../../src/testing/faults.ts';

const HEAD_END = '\r\n\r\n';

/** Payload bytes of each WebSocket frame whose header is complete in what came (RFC 6455 5.2), after the HTTP head. */
class FrameLengths {
  #rest = Buffer.alloc(0);
  #isUpgraded = false;
  #skip = 0;

  *read(chunk: Buffer): Generator<number> {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    if (!this.#isUpgraded) {
      const end = this.#rest.indexOf(HEAD_END);
      if (end < 0) return;
      this.#isUpgraded = true;
      this.#rest = this.#rest.subarray(end + HEAD_END.length);
    }
    for (;;) {
      const skipped = Math.min(this.#skip, this.#rest.length);
      this.#skip -= skipped;
      this.#rest = this.#rest.subarray(skipped);
      const rest = this.#rest;
      if (this.#skip > 0 || rest.length < 2) return;
      const short = rest[1]! & 0x7f;
      const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
      if (rest.length < 2 + extended) return;
      const bytes = extended === 0 ? short : extended === 2 ? rest.readUInt16BE(2) : Number(rest.readBigUInt64BE(2));
      this.#skip = 2 + extended + ((rest[1]! & 0x80) === 0 ? 0 : 4) + bytes;
      yield bytes;
    }
  }
}

/** A middlebox on 127.0.0.1 that resets a line at each frame above a size, one way, and says nothing: no close code. */
export async function frameLimit(targetPort: number, way: Way, mostBytes: number) {
  let resets = 0;
  let joined = 0;
  const sockets = new Set<Socket>();
  const server = createServer((down) => {
    joined++;
    const up = connect({ port: targetPort, host: '127.0.0.1' });
    const cut = (): void => {
      for (const socket of [down, up]) {
        socket.resetAndDestroy();
        sockets.delete(socket);
      }
    };
    for (const [from, to, direction] of [
      [down, up, 'up'],
      [up, down, 'down'],
    ] as const) {
      sockets.add(from);
      const lengths = new FrameLengths();
      from.setNoDelay(true);
      from.on('error', cut).on('close', cut);
      from.on('data', (chunk: Buffer) => {
        const isTooLarge = direction === way && [...lengths.read(chunk)].some((bytes) => bytes > mostBytes);
        if (isTooLarge) resets++;
        if (isTooLarge) cut();
        else to.write(chunk);
      });
    }
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    port: (server.address() as AddressInfo).port,
    /** Lines that were reset for a frame. */
    get resets() {
      return resets;
    },
    /** Lines that were ever made. */
    get joined() {
      return joined;
    },
    async [Symbol.asyncDispose](): Promise<void> {
      const closed = new Promise((done) => server.close(done));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
