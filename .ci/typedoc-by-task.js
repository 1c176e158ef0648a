// Groups what an entry exports by what it is for: the folder of src that it comes from says so.
import { CommentTag, Converter } from 'typedoc';

/** The first that fits is taken. */
const TASKS = [
  ['contract/', 'Contract'],
  ['codec/', 'Contract'],
  ['payload', 'Contract'],
  ['errors', 'Errors'],
  ['client/create-client', 'Calls'],
  ['client/client-types', 'Calls'],
  ['client/calls/', 'Calls'],
  ['client/requests/lossy', 'Topics'],
  ['client/requests/', 'Calls'],
  ['client/interceptors/', 'Interceptors'],
  ['client/streams/', 'Streams'],
  ['client/topic', 'Topics'],
  ['protocol/', 'Topics'],
  ['primitives/store', 'Stores'],
  ['transport/lifecycle', 'Pages and apps that sleep'],
  ['client/', 'Connection'],
  ['primitives/', 'Connection'],
  ['transport/', 'Connection'],
  ['server/app/interceptor', 'Interceptors'],
  ['server/topics/', 'Topics'],
  ['server/brokers/', 'Several processes'],
  ['server/calls/', 'Several processes'],
  ['server/app/observer', 'Who is there, and what happens'],
  ['server/app/reporter', 'Who is there, and what happens'],
  ['server/peers/', 'Who is there, and what happens'],
  ['server/adapters/', 'Listening'],
  ['server/', 'A server'],
];

export function load({ converter }) {
  converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const exported of (project.children ?? []).flatMap(({ children = [] }) => children)) {
      const { packagePath = '' } = project.getSymbolIdFromReflection(exported) ?? {};
      const [, task] = TASKS.find(([place]) => packagePath.startsWith(`src/${place}`)) ?? [];
      if (task === undefined) continue;
      // A function has its comment where it is called.
      const documented = [exported, ...(exported.signatures ?? [])].find(({ comment }) => comment !== undefined);
      documented?.comment.blockTags.push(new CommentTag('@category', [{ kind: 'text', text: task }]));
    }
  });
}
