import type { Broker } from './broker.ts';
import type { Engine } from '../engine.ts';
import { randomName } from '../random-name.ts';
import type { Admission, DisconnectOptions } from '../peers/admission.ts';
import { CommandOutbox } from './command-outbox.ts';
import { KeptFeed } from './kept-feed.ts';

/** What one server tells the others to do, too. */
export type Command =
  | readonly ['disconnect', identity: string, options: DisconnectOptions]
  | readonly ['revoke', identity: string, topic: string]
  | readonly ['reauthorize', identity?: string | undefined]
  | readonly ['verify'];

/** By whom. */
interface Told {
  readonly from: string;
  readonly command: Command;
}

/** Topic of the broker on which servers tell each other. No contract has it: `$` is no letter of a name. */
const TOPIC = '$commands';

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
  readonly #feed: KeptFeed;

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
    this.#feed = new KeptFeed(engine, broker, TOPIC, {
      // What was told while it was not followed is not known.
      followed: (isLate) => (isLate ? this.#missed() : admission.verifyAgain()),
      told: (message) => this.#take(message as Told),
      reset: () => this.#missed(),
    });
    if (broker.isShared === true) this.#feed.follow();
  }

  /** Here at once, and then on the others. @throws what {@link Admission} throws; then nobody is told */
  run(command: Command): void {
    this.#carryOut(command);
    if (this.#broker.isShared === true) this.#outbox.tell(JSON.stringify(command));
  }

  close(): void {
    this.#outbox.close();
    this.#feed.close();
  }

  #take({ from, command }: Told): void {
    if (from !== this.#own) this.#carryOut(command);
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
