import { createDecoder, readVarUint } from 'lib0/decoding';
import { createEncoder, length, toUint8Array, writeVarUint } from 'lib0/encoding';
import type { WebSocketServer } from 'ws';
import { readSyncMessage, writeSyncStep1, writeUpdate } from 'y-protocols/sync';
import * as Y from 'yjs';

/** Number of the messages that are about the document. Others are about presence: nobody is interested here. */
const SYNC = 0;

/** What a server of y-websocket does for one document, which it returns. */
export function serveDocument(server: WebSocketServer): Y.Doc {
  const doc = new Y.Doc();
  const message = (write: (encoder: ReturnType<typeof createEncoder>) => void) => {
    const encoder = createEncoder();
    writeVarUint(encoder, SYNC);
    write(encoder);
    // One byte is the number of the message alone: there is nothing to say.
    return length(encoder) > 1 ? toUint8Array(encoder) : undefined;
  };
  doc.on('update', (update: Uint8Array, origin: unknown) => {
    const bytes = message((encoder) => writeUpdate(encoder, update));
    for (const client of server.clients) if (client !== origin && bytes !== undefined) client.send(bytes);
  });
  server.on('connection', (socket) => {
    socket.on('message', (data: Buffer) => {
      const decoder = createDecoder(new Uint8Array(data));
      if (readVarUint(decoder) !== SYNC) return;
      const answer = message((encoder) => readSyncMessage(decoder, encoder, doc, socket));
      if (answer !== undefined) socket.send(answer);
    });
    socket.send(message((encoder) => writeSyncStep1(encoder, doc))!);
  });
  return doc;
}
