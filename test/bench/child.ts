/* One side of one measurement, in a process of its own: does what it is asked to by its parent, and ends with it. */
import { connectClients } from './client-side.ts';
import { loadPeer } from './peers/load.ts';
import { serve } from './server-side.ts';
import type { ChildTask, Reply, Request } from './child-process.ts';

const { side, peer, source, limits } = JSON.parse(process.argv[2]!) as ChildTask;
process.once('disconnect', () => process.exit());
const start = side === 'server' ? serve : connectClients;
const operations: object = await start(await loadPeer(peer, source), limits);

process.on('message', (request: Request) => {
  void answer(request).then((reply) => process.send!(reply));
});
process.send!('ready');

async function answer({ id, operation, input }: Request): Promise<Reply> {
  try {
    const result = await (operations as Record<string, (input: unknown) => Promise<unknown>>)[operation]!(input);
    return { id, result };
  } catch (error) {
    return { id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
