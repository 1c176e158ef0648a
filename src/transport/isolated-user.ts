import type { LinkUser } from './transport.ts';

/** The same user, whose callbacks never throw: what they throw is reported and changes nothing. */
export function isolateUser(user: LinkUser, onError: (error: unknown) => void): LinkUser {
  const isolated = <Args extends readonly unknown[]>(callback: (...args: Args) => void) => {
    return (...args: Args): void => {
      try {
        callback(...args);
      } catch (error) {
        onError(error);
      }
    };
  };
  return {
    opened: isolated((link, token) => user.opened(link, token)),
    // Spelled out, because it runs for every frame.
    frame(link, frame) {
      try {
        user.frame(link, frame);
      } catch (error) {
        onError(error);
      }
    },
    binary: isolated((link) => user.binary(link)),
    probe: isolated((link) => user.probe(link)),
    unanswered(link) {
      try {
        return user.unanswered(link);
      } catch (error) {
        onError(error);
        return 0;
      }
    },
    lost: isolated((link, cause) => user.lost(link, cause)),
    moveFailed: isolated((cause) => user.moveFailed(cause)),
    status: isolated((status) => user.status(status)),
  };
}
