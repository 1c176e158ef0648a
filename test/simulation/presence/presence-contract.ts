import type { StandardSchemaV1 } from '@standard-schema/spec';
import { defineContract, presence } from '../../../src/index.ts';

/** What somebody says of himself: no two words are the same. */
export interface Info {
  readonly word: number;
}

const info: StandardSchemaV1<Info, Info> = {
  '~standard': {
    version: 1,
    vendor: 'simulation',
    validate: (value) =>
      typeof (value as Info).word === 'number' ? { value: value as Info } : { issues: [{ message: 'no word' }] },
  },
};

export const contract = defineContract({ here: presence('rooms/{id}/here', { info }) });

export type Tree = (typeof contract)['tree'];

export const ROOMS = ['a', 'b'] as const;

export type RoomId = (typeof ROOMS)[number];

export const topicOf = (room: RoomId): string => `rooms/${room}/here`;
