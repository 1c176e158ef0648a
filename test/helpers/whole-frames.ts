import type { Server, ServerSocket } from '../../src/server/index.ts';

/**
 * A server, and with it the clients on its sockets, that speak of no parts, as older ones do: each message is one frame.
 */
export function wholeFrames<Tree extends Server<never>>(server: Tree): Tree {
  const old: Server<never> = {
    ...server,
    accept: (socket, request) => {
      const plain = new Proxy(socket, {
        get: (target, name) => {
          if (name === 'send') return (frame: string) => target.send(frame.replace(/"partBytes":\d+,/, ''));
          const value: unknown = target[name as keyof ServerSocket];
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
      const handler = server.accept(plain, request);
      return {
        message: (frame) => handler.message(frame.replace('"features":["parts"],', '')),
        binary: () => handler.binary(),
        closed: (code) => handler.closed(code),
        drained: () => handler.drained(),
      };
    },
  };
  return old as Tree;
}
