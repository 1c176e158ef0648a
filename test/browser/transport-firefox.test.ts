import { expect, test } from 'vitest';
import { startFirefox } from './engines/firefox.ts';
import { transportStories } from './transport-stories.ts';

transportStories(
  startFirefox,
  { keepsPages: false, blocked: /content security policy/, saysInsecure: true },
  (page) => {
    test('that works offline finds its line dead, fails to make another, and makes one when it is back', async () => {
      await using server = await page.serve();
      const reconnect = { sharedFirstMs: 30_000, capMs: 60_000 };
      await page.engine.go(server.url({ longDelays: true, options: { reconnect } }));
      await page.reaches('connecting connected');

      // Firefox lets live sockets be: the line itself has to die, too.
      server.freeze();
      await page.call('while offline');
      await page.engine.offline(true);
      await page.reaches('connecting connected waiting connecting waiting');
      expect((await page.seen()).statuses).toMatchObject({
        2: { cause: { by: 'probe' } },
        4: { cause: { by: 'peer' } },
      });

      await page.engine.offline(false);
      await page.answered('while offline');
      const { statuses, errors } = await page.seen();
      expect(await page.states()).toMatch(
        /^connecting connected waiting connecting( waiting){1,2} connecting connected$/,
      );
      // Not when the delay was over: when the network was back.
      const [{ retryAt }, { since }] = [statuses[4], statuses.at(-1)] as [{ retryAt: number }, { since: number }];
      expect(retryAt).toBeGreaterThan(since);
      expect(errors).toEqual([]);
      expect(Object.fromEntries(server.ran)).toEqual({ 'while offline': 1 });
    });
  },
);
