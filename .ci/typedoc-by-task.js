// Groups what an entry exports by what it is for: the folder of src that it comes from says so.
import { Comment, CommentTag, Converter } from 'typedoc';

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
  ['client/per-frame', 'Stores'],
  ['transport/lifecycle', 'Pages and apps that sleep'],
  ['react/', 'Hooks'],
  ['testing/', 'Tests'],
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

/** What each entry is for. */
const ENTRIES = {
  index: 'The client, with everything, and the contract that both sides share.',
  core: 'The client in parts: hand in what you use.',
  superjson: 'The codec for dates, maps, sets, bigints and bytes.',
  websocket: 'The standard WebSocket, that comes back.',
  webview: 'For a page in the webview of a native app.',
  server: 'The server, on any runtime.',
  'server/node': 'The server on Node, through `ws`.',
  'server/crossws': 'The server on what crossws runs on: Bun, Deno, Cloudflare.',
  'server/redis': 'Several processes that share Redis.',
  'server/postgres': 'Several processes that share PostgreSQL.',
  react: 'Hooks.',
  'react/suspense': 'A hook that suspends.',
  'tanstack-query': 'Options, keys and live topics for TanStack Query.',
  testing: 'A client and a server in memory, for tests of apps; tests for a WebSocket class of your own.',
  'testing/broker': 'Tests for a broker of your own.',
  'testing/faults': 'A proxy that breaks lines.',
  'testing/msw': 'A server behind msw.',
  'testing/playwright': 'A server behind a page of Playwright.',
};

export function load({ converter }) {
  converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const entry of project.children ?? []) {
      const text = ENTRIES[entry.name];
      if (text === undefined) throw new Error(`.ci/typedoc-by-task.js: say in ENTRIES what ${entry.name} is for`);
      entry.comment ??= new Comment([{ kind: 'text', text }]);
    }
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
