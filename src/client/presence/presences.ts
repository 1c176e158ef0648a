import type { Topic } from '../../contract/topic.ts';
import type { TopicHandle } from '../client-types.ts';
import { capability, type Capability, type Offer } from '../kernel/capability.ts';
import { endError, isSignedOut } from '../kernel/refusal.ts';
import type { FilledTopic } from '../requests/filled-topic.ts';
import { Room } from './room.ts';
import type { Stay } from './stay.ts';

interface Enterable extends TopicHandle<Topic> {
  enter?(this: void, info: unknown): Stay<unknown>;
}

/** Being in rooms: `client.here({ roomId }).enter(info)`. Needs `topics()`. */
export function presences(): Capability<'presences'> {
  return capability('presences', (kernel) => {
    const rooms = new Map<string, Room>();
    const enter = (filled: FilledTopic, info: unknown): Stay<unknown> => {
      const { name } = filled;
      let room = rooms.get(name);
      if (room === undefined) {
        const made: Room = new Room(kernel, filled, () => {
          if (rooms.get(name) === made) rooms.delete(name);
          kernel.eased();
        });
        rooms.set(name, (room = made));
      }
      const entered = room;
      const holder = entered.enter(info);
      kernel.rose();
      const leave = (): void => entered.leave(holder);
      return {
        get ready() {
          return holder.ready;
        },
        update: (other) => entered.update(holder, other),
        leave,
        [Symbol.dispose]: leave,
      };
    };
    return {
      offers: {
        presence: (topic, path, codec) => {
          const handleOf = (kernel.offer('topic', path) as Offer<typeof topic>)(topic, path, codec) as (
            params?: object,
          ) => Enterable;
          return (params?: object) => {
            const handle = handleOf(params);
            const { name } = handle;
            const filled = { topic, name, nameJson: JSON.stringify(name), codec };
            handle.enter ??= (info) => enter(filled, info);
            return handle;
          };
        },
      },
      ask: () => {
        for (const room of rooms.values()) room.ask();
      },
      // As another user: the one who was there goes at once.
      leaving: (link) => {
        for (const room of rooms.values()) link.say(room.farewell);
      },
      entered: ({ state }) => {
        if (state === 'connected') for (const room of rooms.values()) room.connected();
      },
      closed: (cause) => {
        if (isSignedOut(kernel.status)) return;
        for (const [name, room] of rooms) room.closed(endError(name, cause));
      },
      isNeeded: () => rooms.size > 0,
    };
  });
}
