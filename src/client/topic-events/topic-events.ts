import { capability, type Capability } from '../kernel/capability.ts';
import { EventFeed, type EventFeedParts, type TopicEventsOptions } from './event-feed.ts';

/** Loops over the events of a topic: `for await (const event of room.events())`. Needs `topics()`. */
export function topicEvents(): Capability<'topicEvents'> {
  return capability('topicEvents', (kernel) => ({
    topicLoop: (parts: EventFeedParts, options: TopicEventsOptions<unknown>) =>
      new EventFeed(parts, options, () => kernel.identities),
  }));
}
