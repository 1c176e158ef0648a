import { domException } from '../../primitives/dom-exception.ts';
import type { AuthOption, AuthRequest, AuthResult, AuthToken } from '../transport-options.ts';
import { LATE_MS } from '../line.ts';
import { DEVELOPMENT } from '../../development.ts';
import { checkFunction } from '../check-transport-options.ts';
import type { CredentialSource } from '../transport-parts.ts';

/** Time that a credentials function has, ms. */
const LIMIT_MS = 10_000;

interface Asking {
  readonly reason: AuthRequest['reason'];
  readonly answer: Promise<string | undefined>;
  /** Ends it: whoever waits is rejected, and what the function still gives is nobody's. */
  readonly abort: (why: unknown) => void;
}

/** The app's credentials function, asked once at a time and not for ever, and the life of what it gave last. */
export class Credentials implements CredentialSource {
  #auth: AuthOption | undefined;
  #asking: Asking | undefined;
  #issued: { readonly at: number; readonly expiresAt: number } | undefined;

  /** @throws TypeError for what is no function */
  constructor(auth: AuthOption | undefined) {
    if (DEVELOPMENT) checkFunction('auth', auth);
    this.#auth = auth;
  }

  /** There is a function that can give other credentials. */
  get renewable(): boolean {
    return this.#auth !== undefined;
  }

  /** Time until a part of the last token's life is over, ms; `undefined` where that is not known. */
  leftMs(part: number): number | undefined {
    if (this.#issued === undefined) return undefined;
    const { at, expiresAt } = this.#issued;
    return at + (expiresAt - at) * part - Date.now();
  }

  /** Another function, or none, from now on. What the former was asked is aborted. @throws TypeError for what is none */
  replace(auth: AuthOption | undefined): void {
    if (DEVELOPMENT) checkFunction('auth', auth);
    this.#auth = auth;
    this.#issued = undefined;
    this.abort('other credentials are in force');
  }

  /** Ends what is under way. */
  abort(why: string): void {
    this.#asking?.abort(domException(why, 'AbortError'));
  }

  /**
   * Asks for a token, or waits for the answer that somebody else waits for already; `undefined` for none. One that was
   * asked for before the server refused the last is not waited for. The signal ends the asking, for all who wait.
   */
  async get(reason: AuthRequest['reason'], signal?: AbortSignal): Promise<string | undefined> {
    if (this.#auth === undefined) return undefined;
    if (signal?.aborted === true) throw signal.reason;
    if (reason === 'refused' && this.#asking?.reason !== reason) this.abort('the credentials were refused');
    const asking = (this.#asking ??= this.#ask(this.#auth, reason));
    signal?.addEventListener('abort', () => {
      asking.abort(signal.reason);
    });
    return asking.answer;
  }

  #ask(auth: AuthOption, reason: AuthRequest['reason']): Asking {
    const controller = new AbortController();
    const { signal } = controller;
    let timer = setTimeout(late, LIMIT_MS);
    const dueAt = Date.now() + LIMIT_MS;
    function late(): void {
      // The page slept: what came in the meantime is handled first.
      if (Date.now() - dueAt > LATE_MS) timer = setTimeout(timeUp, 0);
      else timeUp();
    }
    function timeUp(): void {
      asking.abort(domException(`auth gave nothing within ${LIMIT_MS} ms`, 'TimeoutError'));
    }
    let refuse: (why: unknown) => void = () => {};
    const aborted = new Promise<never>((_, reject) => (refuse = reject));
    const over = (): void => {
      clearTimeout(timer);
      if (this.#asking === asking) this.#asking = undefined;
    };
    // Not at once, because the function may come back here.
    const given = Promise.resolve().then(async () => {
      if (signal.aborted) return undefined;
      const issued = checkToken(await auth({ reason, signal }));
      if (this.#asking === asking) this.#issued = lifeOf(issued);
      return issued?.token;
    });
    const asking: Asking = {
      reason,
      answer: Promise.race([given, aborted]).finally(over),
      abort: (why) => {
        if (signal.aborted) return;
        over();
        refuse(why);
        controller.abort(why);
      },
    };
    return asking;
  }
}

function checkToken(result: AuthResult): AuthToken | undefined {
  if (result === undefined) return undefined;
  const issued = typeof result === 'string' ? { token: result } : (Object(result) as AuthToken);
  if (typeof issued.token !== 'string') {
    throw new TypeError(
      `auth must give a string, { token, expiresAt }, or undefined for none, not a value of type ${typeof result}`,
    );
  }
  if (issued.expiresAt !== undefined && !Number.isFinite(issued.expiresAt)) {
    throw new TypeError(`auth must give expiresAt in ms since the epoch, not ${String(issued.expiresAt)}`);
  }
  return issued;
}

function lifeOf(issued: AuthToken | undefined): { readonly at: number; readonly expiresAt: number } | undefined {
  const at = Date.now();
  // Expired before it was used: the clocks of the issuer and of this client differ, so nothing follows from it.
  return issued?.expiresAt === undefined || issued.expiresAt <= at ? undefined : { at, expiresAt: issued.expiresAt };
}
