import type { Deadline } from '../../primitives/deadlines.ts';
import { whenReady } from '../app/now-or-later.ts';
import type { Broker, Feed } from './broker.ts';
import type { Engine } from '../engine.ts';
import { randomName } from '../random-name.ts';
import type { Admission, DisconnectOptions } from '../peers/admission.ts';

/** What one server tells the others to do, too. */
export type Command =
  | readonly ['disconnect', identity: string, options: DisconnectOptions]
  | readonly ['revoke', identity: string, topic: string]
  | readonly ['reauthorize', identity?: string | undefined];

/** Topic of the broker on which servers tell each other. No contract has it: `$` is no letter of a name. */
const TOPIC = '$commands';

/** Where the broker can't be followed it is asked again after this time, ms. */
const AGAIN_MS = 2000;

/**
 * What is ended on one server is ended on all that share its broker: who was banned may be connected to any of them. It goes
 * the way of events, so a server that lost the broker for a while hears it afterwards.
 */
export class SharedCommands {
  readonly #engine: Engine;
  readonly #admission: Admission;
  readonly #broker: Broker;
  /** What this server has told comes back to it, and is done already. */
  readonly #own = randomName();
  #feed: Feed | undefined;
  #again: Deadline | undefined;
  #closed = false;

  constructor(engine: Engine, admission: Admission, broker: Broker) {
    this.#engine = engine;
    this.#admission = admission;
    this.#broker = broker;
    if (broker.isShared === true) this.#follow();
  }

  /** Here at once, and then on the others. @throws what {@link Admission} throws; then nobody is told */
  run(command: Command): void {
    this.#carryOut(command);
    if (this.#broker.isShared !== true) return;
    void whenReady(
      () => this.#broker.publish(TOPIC, JSON.stringify({ from: this.#own, command })),
      () => undefined,
      (error) => this.#engine.report(error, { during: 'broker' }),
    );
  }

  close(): void {
    this.#closed = true;
    this.#feed?.close();
    if (this.#again !== undefined) this.#engine.deadlines.remove(this.#again);
  }

  #follow(): void {
    const { deadlines, report } = this.#engine;
    const listener = {
      event: ({ payload }: { readonly payload: string }) => this.#take(payload),
      reset: () => this.#missed(),
    };
    void whenReady(
      () => this.#broker.subscribe(TOPIC, listener),
      (feed) => {
        if (this.#closed) return feed.close();
        // What was told while it was not followed is not known.
        if (this.#again !== undefined) this.#missed();
        this.#feed = feed;
      },
      (error) => {
        report(error, { during: 'broker' });
        if (!this.#closed) this.#again = deadlines.add(performance.now() + AGAIN_MS, () => this.#follow());
      },
    );
  }

  #take(payload: string): void {
    const { report } = this.#engine;
    try {
      const { from, command } = JSON.parse(payload) as { readonly from: string; readonly command: Command };
      if (from !== this.#own) this.#carryOut(command);
    } catch (error) {
      report(error, { during: 'broker' });
    }
  }

  #carryOut(command: Command): void {
    const [what, identity] = command;
    if (what === 'disconnect') this.#admission.disconnect(identity, command[2]);
    else if (what === 'revoke') this.#admission.revoke(command[2], identity);
    else if (what === 'reauthorize') this.#admission.reauthorize(identity);
  }

  /** Some may be lost. What can be asked again is asked again. */
  #missed(): void {
    const what = 'what other servers told to end may be lost: all subscriptions are authorized again';
    this.#engine.report(new Error(what), { during: 'broker' });
    this.#admission.reauthorize(undefined);
  }
}
