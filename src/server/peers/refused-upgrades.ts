import { SUBPROTOCOL } from '../../protocol/messages.ts';
import type { Observer } from '../app/observer.ts';
import type { Report } from '../app/reporter.ts';

/** An upgrade that an adapter did not take, by its headers. */
export interface RefusedUpgrade {
  /** HTTP status: 403 for its origin, 400 for its subprotocol. */
  readonly status: 400 | 403;
  readonly origin: string | undefined;
  readonly host: string | undefined;
}

/** Reasons that are told; who makes up more is counted, and not told of. */
const MOST_TOLD = 100;

/** What adapters did not let in: counted, and told once for each reason. A page is told nothing that a person could read. */
export class RefusedUpgrades {
  count = 0;
  readonly #report: Report;
  readonly #observer: Observer | undefined;
  readonly #told: Set<string> = new Set();

  constructor(report: Report, observer: Observer | undefined) {
    this.#report = report;
    this.#observer = observer;
  }

  add(upgrade: RefusedUpgrade): void {
    this.count++;
    this.#observer?.tell({ type: 'refused', code: String(upgrade.status) });
    const { status, origin = '' } = upgrade;
    const reason = `${status} ${origin}`;
    if (this.#told.has(reason) || this.#told.size >= MOST_TOLD) return;
    this.#told.add(reason);
    this.#report(new Error(explain(upgrade)), { during: 'upgrade' });
  }
}

function explain({ status, origin, host }: RefusedUpgrade): string {
  if (status === 400) {
    return `refused a WebSocket without the subprotocol ${SUBPROTOCOL}: is it another client, or a proxy that drops Sec-WebSocket-Protocol?`;
  }
  if (origin === undefined) {
    return `refused a WebSocket without an Origin, so of a program: add 'none' to origins to let programs in`;
  }
  return `refused a page of ${origin}, Host was ${host ?? 'missing'}: add '${origin}' to origins, or let the proxy keep Host`;
}
