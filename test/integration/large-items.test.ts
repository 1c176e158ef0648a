import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineContract, stream } from '../../src/index.ts';
import { connectedPair } from '../../src/testing/index.ts';

const BYTES = 150_000;
const contract = defineContract({ pages: stream({ input: z.int(), output: z.string() }) });
const handlers = {
  async *pages({ input }: { input: number }) {
    for (let n = 1; n <= input; n++) yield String(n).padEnd(BYTES, '.');
  },
};

test('streams whose items are large arrive wholly, although a reader says rarely what it took', async () => {
  await using pair = connectedPair(contract, handlers);
  const read = async (): Promise<number> => {
    let count = 0;
    for await (const page of pair.client.pages(40)) {
      expect(page).toBe(String(++count).padEnd(BYTES, '.'));
    }
    return count;
  };
  expect(await Promise.all([read(), read(), read()])).toEqual([40, 40, 40]);
});
