import type { Hello } from '../../src/protocol/messages.ts';
import type { SocketHandler } from '../../src/server/peers/server-socket.ts';
import type { Host } from './network.ts';

/**
 * Somebody with a copy of a page's memory: greets as the same client with a higher number, and says again what the page
 * said long ago. Nothing of that may run, and nothing of it may still be remembered.
 */
export class Impostor {
  /** `reply`, or the code of the error, for each answer that came. */
  readonly answers: string[] = [];
  closedWith: number | undefined;
  readonly #handler: SocketHandler;

  constructor(host: Host, hello: Hello) {
    this.#handler = host.accept({
      send: (frame) => {
        for (const [name, , error] of JSON.parse(frame) as ReadonlyArray<[string, number, { code: string }?]>) {
          if (name === 'reply') this.answers.push('reply');
          if (name === 'error') this.answers.push(error!.code);
        }
      },
      close: (code) => {
        this.closedWith = code;
      },
    });
    this.#handler.message(JSON.stringify([['hello', { ...hello, features: [] }]]));
  }

  say(message: string): void {
    this.#handler.message(`[${message}]`);
  }

  leave(): void {
    this.#handler.closed(1006);
  }
}
