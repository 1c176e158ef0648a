import { Log } from './log.ts';

/** The server's end of one socket, as the tests use it. */
export interface SocketTestPeer {
  /** Sends one text message. */
  send(text: string): void;
  /** Starts the closing handshake. */
  close(code: number, reason: string): void;
  /** Ends the line without a closing handshake. */
  cut(): void;
}

/** What to tell of the server's end of one socket. */
export interface SocketTestEnd {
  /** A text message came. */
  message(text: string): void;
  /** It is over: with the code that the other end sent, or 1006 where it sent none. */
  closed(code: number): void;
}

/** What the tests ask of the server that the sockets lead to. */
export interface SocketTestServer {
  /** The next socket is to be turned away before it opens, as your server does that. */
  readonly refuses: boolean;
  /** Takes a socket that opens, with the first subprotocol that it asked for, and gives what to tell of it. */
  accept(peer: SocketTestPeer): SocketTestEnd;
}

/** The server of one test. */
export class TestServer implements SocketTestServer {
  refuses = false;
  /** What the ends told. */
  readonly log: Log = new Log();
  /** What is done with who comes: it hears back what it says. */
  serve: (peer: SocketTestPeer) => SocketTestEnd = (peer) => ({
    message: (text) => peer.send(text),
    closed: () => undefined,
  });
  readonly #peers: SocketTestPeer[] = [];

  accept(peer: SocketTestPeer): SocketTestEnd {
    this.#peers.push(peer);
    const end = this.serve(peer);
    return {
      message: (text) => {
        this.log.add(`message ${text}`);
        end.message(text);
      },
      closed: (code) => {
        this.log.add(`closed ${code}`);
        end.closed(code);
      },
    };
  }

  /** The one that came last. */
  get peer(): SocketTestPeer {
    const peer = this.#peers.at(-1);
    if (peer === undefined) throw new Error('no socket has come to the server');
    return peer;
  }
}
