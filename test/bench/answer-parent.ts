import type { Reply, Request } from './child-process.ts';

/** What this process was told at its start. From here on it ends with its parent. */
export function childArgument<Argument>(): Argument {
  process.once('disconnect', () => process.exit());
  return JSON.parse(process.argv[2]!) as Argument;
}

/** Says that it is ready, and does what it is asked for by its parent. */
export function answerParent(operations: object): void {
  process.on('message', (request: Request) => {
    void answer(operations as Operations, request).then((reply) => process.send!(reply));
  });
  process.send!('ready');
}

type Operations = Readonly<Record<string, (input: unknown) => Promise<unknown>>>;

async function answer(operations: Operations, { id, operation, input }: Request): Promise<Reply> {
  try {
    return { id, result: await operations[operation]!(input) };
  } catch (error) {
    return { id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
