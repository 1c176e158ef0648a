import { noWebSocket } from '../hopeless-error.ts';
import type { Target } from './engine-parts.ts';
import { ReconnectingEngine } from './reconnecting-engine.ts';
import type { ProtocolsOption, ReconnectingWebSocketOptions } from './reconnecting-web-socket-options.ts';
import { resolveOptions } from './reconnecting-web-socket-options.ts';
import { definedOf, type UrlOption, type UrlRequest } from '../transport-options.ts';
import { checkProtocols, parseWebSocketUrl, toCloseArguments, toProtocols, toText } from './web-socket-arguments.ts';
import { toData } from './web-socket-data.ts';
import type { ReconnectingWebSocketEventMap } from './web-socket-events.ts';
import { EventHandlers } from './web-socket-handlers.ts';
import type { WebSocketConstructor } from '../web-socket-like.ts';
import { globalWebSocket, READY_STATE } from '../web-socket-like.ts';

/** The methods of `EventTarget`, with the events that there are. */
interface WebSocketEventTarget extends EventTarget {
  addEventListener<Type extends keyof ReconnectingWebSocketEventMap>(
    type: Type,
    listener: (this: ReconnectingWebSocket, event: ReconnectingWebSocketEventMap[Type]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<Type extends keyof ReconnectingWebSocketEventMap>(
    type: Type,
    listener: (this: ReconnectingWebSocket, event: ReconnectingWebSocketEventMap[Type]) => unknown,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | EventListenerOptions,
  ): void;
}

/** Stands for the global, where there is none. Importing is no fault of an app: it may only ever use another part. */
function NoEventTarget(): never {
  throw new TypeError(
    'ReconnectingWebSocket needs a global EventTarget and Event: import a polyfill of them before this module.',
  );
}

const WebSocketEventTarget: new () => WebSocketEventTarget =
  (globalThis as { readonly EventTarget?: new () => WebSocketEventTarget }).EventTarget ?? (NoEventTarget as never);

/**
 * The standard `WebSocket` (WHATWG WebSockets), and it comes back: same constructor, constants, attributes, methods,
 * events and exceptions, for code and libraries that take a WebSocket class. Attempts follow the same policy as those
 * of `connect()`: delays with jitter by close code, a limit for each, an end where more are of no use.
 *
 * What differs from the standard, and why:
 * - Every socket made inside is told with its own events, `open`, `message`, `error` and `close` with the true code;
 *   `close` may therefore come more than once, and `open` after it, so that code which greets or subscribes in `open`
 *   and cleans up in `close` stays right. `readyState` is `CLOSED` in `close`, and if another attempt follows
 *   `CONNECTING` from then on; `reconnecting` tells of it. `close()` in such a listener ends it, without further events.
 * - With the option `reopen: false` it has one life, as a native socket has: attempts that fail are not told (but by
 *   `reconnecting`) and repeated, with `readyState` `CONNECTING`; then there is one `open`, one `close`, and nothing
 *   after it. For code that makes a **new** socket in answer to `close`, as most libraries do: the old one must not come
 *   back, too.
 * - `send()` while connecting queues, within bounds, instead of throwing `InvalidStateError`. What waits goes out before
 *   `open` fires, in the order of the calls; a full queue throws `QuotaExceededError`. With the option `queue: false` it
 *   throws as the standard has it. What was handed to a socket that was then lost is not sent again: nobody knows what
 *   the server got.
 * - `bufferedAmount` counts what waits, too. What a lost socket had not sent no longer counts once it has a successor.
 * - A peer that does not answer `close()` within 30 s counts as gone (1006): some engines would wait for ever.
 * - `url` and `protocols` may be functions, called for every attempt; until the first has answered, `url` is empty.
 * - `error` events carry what is known of the cause as `error`. Events are made here, so `isTrusted` is false.
 *
 * It has no heartbeat, because the messages are those of the app: that a line died without a word is known when the
 * engine knows it, or when the app calls `close()`. Where the host tells that it woke or is online again, an attempt
 * that waits is made at once.
 *
 * To make it the global class: `globalThis.WebSocket = ReconnectingWebSocket` (or, better for code that makes sockets
 * anew, `ReconnectingWebSocket.with({ reopen: false })`). Inside it uses the native class all the same. Importing this
 * module reads the globals `EventTarget` and `WebSocket`.
 */
export class ReconnectingWebSocket extends WebSocketEventTarget implements WebSocket {
  declare static readonly CONNECTING: 0;
  declare static readonly OPEN: 1;
  declare static readonly CLOSING: 2;
  declare static readonly CLOSED: 3;
  declare readonly CONNECTING: 0;
  declare readonly OPEN: 1;
  declare readonly CLOSING: 2;
  declare readonly CLOSED: 3;

  readonly #handlers: EventHandlers = new EventHandlers(this);
  readonly #engine: ReconnectingEngine;

  /**
   * @param url - Resolved against the page; `http(s)` becomes `ws(s)`
   * @throws DOMException `SyntaxError` for a URL or a subprotocol that is none
   * @throws TypeError without an argument, for an option of the wrong type, and where there is no native WebSocket
   * @throws RangeError for an option that makes no sense
   */
  constructor(url: UrlOption, protocols: ProtocolsOption = [], options: ReconnectingWebSocketOptions = {}) {
    if (arguments.length === 0) throw new TypeError('WebSocket: 1 argument required, but only 0 present.');
    super();
    const target = targetOf(options.url ?? url, options.protocols ?? protocols);
    const provider =
      typeof target === 'function' ? (request: UrlRequest) => target(request).then(urlOf) : urlOf(target);
    const resolved = resolveOptions(options, provider);
    const { WebSocket } = resolved.transport;
    if (isOurs(WebSocket)) throw new TypeError('The option WebSocket must be a native class, not this one again.');
    const nativeClass = () => WebSocket ?? findNative();
    nativeClass();
    this.#engine = new ReconnectingEngine(resolved, {
      target,
      native: nativeClass,
      dispatch: (event) => this.dispatchEvent(event),
    });
  }

  /**
   * A subclass whose third argument has these values where it gives none: for libraries that take a class and call it
   * with two arguments. The options are not changed, nor are later changes to them seen.
   */
  static with(options: ReconnectingWebSocketOptions): typeof ReconnectingWebSocket {
    const preset = { ...options };
    return class ReconnectingWebSocket extends this {
      constructor(url: UrlOption, protocols: ProtocolsOption = [], given: ReconnectingWebSocketOptions = {}) {
        if (arguments.length === 0) throw new TypeError('WebSocket: 1 argument required, but only 0 present.');
        super(url, protocols, { ...preset, ...definedOf(given) });
      }
    };
  }

  /** The address, as the standard writes it; that of the last attempt where it comes from a function. */
  get url(): string {
    return this.#engine.url;
  }

  /** One of the four constants. `CONNECTING` also while it waits for its next attempt. */
  get readyState(): WebSocket['readyState'] {
    return this.#engine.readyState;
  }

  /** Bytes that wait, here and in the socket. */
  get bufferedAmount(): number {
    return this.#engine.bufferedAmount;
  }

  /** Extensions in use on the live socket, else on the last one. */
  get extensions(): string {
    return this.#engine.extensions;
  }

  /** Subprotocol of the live socket, else of the last one. */
  get protocol(): string {
    return this.#engine.protocol;
  }

  /** How binary messages arrive. Stays over reconnects. */
  get binaryType(): BinaryType {
    return this.#engine.binaryType;
  }

  set binaryType(type: BinaryType) {
    const [engine, text] = [this.#engine, toText(type)];
    // Web IDL: what the enumeration does not have is ignored.
    if (text === 'blob' || text === 'arraybuffer') engine.setBinaryType(text);
  }

  /** Fires for each socket that opens. */
  get onopen(): WebSocket['onopen'] {
    return this.#handlers.get('open');
  }

  set onopen(handler: WebSocket['onopen']) {
    this.#handlers.set('open', handler);
  }

  /** Fires before `close` where a socket failed. */
  get onerror(): WebSocket['onerror'] {
    return this.#handlers.get('error');
  }

  set onerror(handler: WebSocket['onerror']) {
    this.#handlers.set('error', handler);
  }

  /** Fires for each socket that ends, and when it is over. */
  get onclose(): WebSocket['onclose'] {
    return this.#handlers.get('close');
  }

  set onclose(handler: WebSocket['onclose']) {
    this.#handlers.set('close', handler);
  }

  /** Fires for each message. */
  get onmessage(): WebSocket['onmessage'] {
    return this.#handlers.get('message');
  }

  set onmessage(handler: WebSocket['onmessage']) {
    this.#handlers.set('message', handler);
  }

  /**
   * Ends it for good. What waits is given up; what the socket has is sent first.
   * @throws DOMException `InvalidAccessError` for a code other than 1000 and 3000 to 4999
   * @throws DOMException `SyntaxError` for a reason of more than 123 bytes of UTF-8
   */
  close(code?: number, reason?: string): void {
    this.#engine.close(toCloseArguments(code, reason));
  }

  /**
   * Begins anew, from whatever state: also after it gave up, after `close()`, and where it was made with `startClosed`. A
   * socket that is there is closed with this code, 1000 without one, and told to be by `close`; what waits goes out on the
   * next. Not more often than ten times a minute: then it waits.
   * @throws DOMException as `close` does
   */
  reconnect(code?: number, reason?: string): void {
    this.#engine.reconnect(toCloseArguments(code, reason));
  }

  /**
   * Sends, or queues while there is no socket. Binary data is copied at once; after `close()` nothing is sent.
   * @throws DOMException `QuotaExceededError` when the queue is full
   * @throws TypeError for a symbol, a view on shared memory, or no argument
   */
  send(data: string | ArrayBufferLike | Blob | ArrayBufferView): void {
    if (arguments.length === 0) throw new TypeError('send: 1 argument required, but only 0 present.');
    this.#engine.send(toData(data));
  }
}

// Outside of the class: React Native's tools take no static blocks.
for (const [name, value] of Object.entries(READY_STATE)) {
  for (const owner of [ReconnectingWebSocket, ReconnectingWebSocket.prototype])
    Object.defineProperty(owner, name, { value, enumerable: true });
}
const names = Object.getOwnPropertyNames(ReconnectingWebSocket.prototype).filter((name) => name !== 'constructor');
for (const name of names) Object.defineProperty(ReconnectingWebSocket.prototype, name, { enumerable: true });
// Web IDL counts the arguments that are required.
for (const name of ['close', 'reconnect'])
  Object.defineProperty(Reflect.get(ReconnectingWebSocket.prototype, name), 'length', { value: 0 });
Object.defineProperty(ReconnectingWebSocket.prototype, Symbol.toStringTag, { value: 'WebSocket', configurable: true });

/** The last one seen that is not of this kind: somebody may put this class in its place at any time. */
let native: WebSocketConstructor | undefined = globalWebSocket();

function findNative(): WebSocketConstructor {
  const found = globalWebSocket();
  if (found !== undefined && !isOurs(found)) native = found;
  if (native === undefined) throw noWebSocket();
  return native;
}

/** This class, one made from it, or a wrapper around one. */
function isOurs(constructor: WebSocketConstructor | undefined): boolean {
  const prototype = constructor?.prototype as object | undefined;
  return prototype === ReconnectingWebSocket.prototype || prototype instanceof ReconnectingWebSocket;
}

/** What to connect to: checked now, or asked for and checked for each attempt. */
function targetOf(url: unknown, protocols: unknown): Target | ((request: UrlRequest) => Promise<Target>) {
  if (typeof url === 'function' || typeof protocols === 'function') {
    // Async, so that a function that throws and one that rejects are the same.
    const ask = async (value: unknown, { attempt, signal }: UrlRequest): Promise<unknown> =>
      typeof value === 'function' ? (value as (request: UrlRequest) => unknown)({ attempt, signal }) : value;
    return async (request) => {
      const [givenUrl, givenProtocols] = await Promise.all([ask(url, request), ask(protocols, request)]);
      return read(givenUrl, givenProtocols);
    };
  }
  return read(url, protocols);
}

function read(url: unknown, protocols: unknown): Target {
  const [text, list] = [toText(url), toProtocols(protocols)];
  return { url: parseWebSocketUrl(text), protocols: checkProtocols(list) };
}

function urlOf({ url }: Target): string {
  return url;
}
