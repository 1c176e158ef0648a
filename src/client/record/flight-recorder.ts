import { RingBuffer } from '../../primitives/ring-buffer.ts';
import type { CloseCause, ConnectionStatus } from '../../transport/transport.ts';
import type { TautlineError } from '../../errors.ts';
import { capability, type Capability } from '../kernel/capability.ts';
import type { Happening, HappeningDetails, HappeningName } from '../kernel/happening.ts';

/** So many happenings are kept. */
const KEPT = 300;
/** A text is cut after so many characters. */
const TEXT_LENGTH = 200;
/** So much of a text is looked through for what is not to be told. */
const READ_LENGTH = 1_000;

type Kept = { -readonly [Name in keyof Happening]: Happening[Name] };

/**
 * Keeps the last happenings of a connection, for a bug report: `connection.record()`, and the event `happening`. Payloads,
 * tokens and URLs' queries are never in it.
 */
export function record(): Capability<'record'> {
  return capability('record', (kernel) => {
    const recorder = new FlightRecorder((happening) => kernel.emit('happening', happening));
    return {
      noted: (what, about) => recorder.note(what, describe(what, about)),
      happenings: () => recorder.happenings,
    };
  });
}

class FlightRecorder {
  readonly #kept = new RingBuffer<Kept>(KEPT);
  readonly #noted: (happening: Happening) => void;
  #lastKey = '';

  /** @param noted - Gets each happening as it is noted. */
  constructor(noted: (happening: Happening) => void) {
    this.#noted = noted;
  }

  /** The last happenings, oldest first. */
  get happenings(): readonly Happening[] {
    return Array.from(this.#kept, (kept) => ({ ...kept }));
  }

  note(what: HappeningName, details: HappeningDetails): void {
    const key = JSON.stringify([what, redacted(details)]);
    // Read again: the part of a text that was cut off, a megabyte of a server's perhaps, would be held by the rest.
    const [, clean] = JSON.parse(key) as [unknown, HappeningDetails];
    const happening: Happening = { at: Date.now(), what, details: clean };
    const last = this.#kept.at(-1);
    // A thousand equal refusals must not push out how it came to them.
    if (last !== undefined && key === this.#lastKey) last.times = (last.times ?? 1) + 1;
    else this.#kept.push({ ...happening });
    this.#lastKey = key;
    this.#noted(happening);
  }
}

/** What may be told of that which a connection notes. */
function describe(what: HappeningName, about: object = {}): HappeningDetails {
  if (what === 'status') return describeStatus(about as ConnectionStatus);
  if (what === 'failed') {
    const { code, path, outcome } = about as TautlineError;
    return { code, path, outcome };
  }
  const { error, ...details } = about as { readonly error?: unknown };
  return { ...details, ...describeThrown(error) };
}

function describeStatus(status: ConnectionStatus): HappeningDetails {
  if (status.state === 'waiting') {
    const { cause, retryAt, ...rest } = status;
    return { ...rest, delayMs: retryAt - Date.now(), ...describeCause(cause) };
  }
  return status.state === 'closed' ? { state: status.state, ...describeCause(status.cause) } : { ...status };
}

/** Why a socket ended, or why there was none. */
function describeCause({ error, ...cause }: CloseCause): HappeningDetails {
  return { ...cause, ...describeThrown(error) };
}

/** What may be told of something thrown: its message may hold a URL, a token or a value, so it is left out. */
function describeThrown(thrown: unknown): HappeningDetails {
  if (thrown === undefined) return {};
  try {
    const { name, code } = Object(thrown) as { readonly name?: unknown; readonly code?: unknown };
    return {
      error: typeof name === 'string' ? name : typeof thrown,
      errorCode: typeof code === 'string' ? code : undefined,
    };
  } catch {
    return { error: typeof thrown }; // it does not let itself be looked at
  }
}

/** What in a text looks like the user of a URL, or like credentials by name. */
const SECRETS = /(?<=\/\/)[^\s/@]*@|\bBearer\s+\S+|\b(?:token|key|secret|auth|password)\s*[=:]\s*\S+/gi;

/** Without what is undefined or looks secret, without the queries of URLs, and no text too long. */
function redacted(details: HappeningDetails): HappeningDetails {
  const entries = Object.entries(details)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [
      name,
      typeof value === 'string'
        ? value
            .slice(0, READ_LENGTH)
            .replaceAll(/[?#]\S*/g, '?…')
            .replaceAll(SECRETS, '…')
            .slice(0, TEXT_LENGTH)
        : value,
    ]);
  return Object.fromEntries(entries) as HappeningDetails;
}
