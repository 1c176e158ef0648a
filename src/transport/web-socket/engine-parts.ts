import type { UrlRequest } from '../transport-options.ts';
import type { WebSocketConstructor } from '../web-socket-like.ts';
import type { WebSocketData } from './web-socket-data.ts';

/** What a line leads to. */
export interface Target {
  readonly url: string;
  readonly protocols: readonly string[];
}

/** What the engine is given besides its options. */
export interface EngineParts {
  /** Known from the start, or asked for anew for every attempt. */
  readonly target: Target | ((request: UrlRequest) => Promise<Target>);
  /** Looked up for every attempt. @throws TypeError when there is none */
  readonly native: () => WebSocketConstructor;
  readonly dispatch: (event: Event) => void;
}

/** The socket of a {@link Line}, with what is used of the native class. */
export interface NativeWebSocket {
  readonly readyState: number;
  readonly bufferedAmount?: number;
  readonly protocol: string;
  readonly extensions?: string;
  binaryType: BinaryType;
  send(data: WebSocketData): void;
  close(code?: number, reason?: string): void;
}
