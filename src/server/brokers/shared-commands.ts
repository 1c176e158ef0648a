import type { Deadline } from '../../primitives/deadlines.ts';
import { whenReady } from '../app/now-or-later.ts';
import { openFeed } from '../topics/open-feed.ts';
import type { Broker, Feed } from './broker.ts';
import type { Engine } from '../engine.ts';
import { randomName } from '../random-name.ts';
import type { Admission, DisconnectOptions } from '../peers/admission.ts';
import { CommandOutbox } from './command-outbox.ts';

/** What one server tells the others to do, too. */
export type Command =
  | readonly ['disconnect', identity: string, options: DisconnectOptions]
  | readonly ['revoke', identity: string, topic: string]
  | readonly ['reauthorize', identity?: string | undefined]
  | readonly ['verify'];

/** Topic of the broker on which servers tell each other. No contract has it: `$` is no letter of a name. */
const TOPIC = '$commands';

/** Where the broker can't be followed it is asked again after this time, ms. */
const AGAIN_MS = 2000;

const READ_AT_ONCE = 256;

/**
 * What is ended on one server is ended on all that share its broker: who was banned may be connected to any of them. It goes
 * the way of events, so a server that lost the broker for a while hears it afterwards. Where it can't know what it has
 * missed, it asks about everybody again, as if all had just come.
 */
export class SharedCommands {
  readonly #engine: Engine;
  readonly #admission: Admission;
  readonly #broker: Broker;
  /** What this server has told comes back to it, and is done already. */
  readonly #own = randomName();
  readonly #outbox: CommandOutbox;
  #feed: Feed | undefined;
  #again: Deadline | undefined;
  #closed = false;

  constructor(engine: Engine, admission: Admission, broker: Broker) {
    this.#engine = engine;
    this.#admission = admission;
    this.#broker = broker;
    this.#outbox = new CommandOutbox({
      publish: (command, key) => broker.publish(TOPIC, `{"from":"${this.#own}","command":${command}}`, { key }),
      everything: JSON.stringify(['verify'] satisfies Command),
      deadlines: engine.deadlines,
      report: engine.report,
    });
    if (broker.isShared === true) this.#follow();
  }

  /** Here at once, and then on the others. @throws what {@link Admission} throws; then nobody is told */
  run(command: Command): void {
    this.#carryOut(command);
    if (this.#broker.isShared === true) this.#outbox.tell(JSON.stringify(command));
  }

  close(): void {
    this.#closed = true;
    this.#outbox.close();
    this.#feed?.close();
    if (this.#again !== undefined) this.#engine.deadlines.remove(this.#again);
  }

  #follow(): void {
    const { deadlines, report } = this.#engine;
    const listener = {
      event: ({ payload }: { readonly payload: string }) => this.#take(payload),
      reset: () => {
        this.#missed();
        this.#readNew();
      },
    };
    void whenReady(
      () => openFeed(this.#broker, deadlines, TOPIC, listener),
      (feed) => {
        if (this.#closed) return feed.close();
        this.#feed = feed;
        // What was told while it was not followed is not known.
        if (this.#again !== undefined) this.#missed();
        else this.#admission.verifyAgain();
      },
      (error) => {
        report(error, { during: 'broker' });
        if (!this.#closed) this.#again = deadlines.add(performance.now() + AGAIN_MS, () => this.#follow());
      },
    );
  }

  /** What the history that took the place of the lost one holds already is told to nobody. */
  #readNew(): void {
    const { deadlines, report } = this.#engine;
    this.#readAll().catch((error: unknown) => {
      report(error, { during: 'broker' });
      if (!this.#closed) this.#again = deadlines.add(performance.now() + AGAIN_MS, () => this.#readNew());
    });
  }

  async #readAll(): Promise<void> {
    const feed = this.#feed;
    let after = await feed?.oldest?.();
    while (feed !== undefined && after !== undefined && !this.#closed) {
      const events = await feed.read(after, READ_AT_ONCE);
      for (const { payload } of events ?? []) this.#take(payload);
      const last = events?.at(-1);
      after = last && [after[0], last.offset];
    }
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
    else if (what === 'verify') this.#admission.verifyAgain();
  }

  #missed(): void {
    const what = 'what other servers told to end may be lost: all clients are authenticated and authorized again';
    this.#engine.report(new Error(what), { during: 'broker' });
    this.#admission.verifyAgain();
  }
}
