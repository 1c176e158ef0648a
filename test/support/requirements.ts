import { findChromium } from './chromium.ts';
import { hasFirefox, hasWebKit } from './engines.ts';
import { findHaProxy } from './find-haproxy.ts';
import { findPostgres } from './find-postgres.ts';
import { findRedis } from './find-redis.ts';

/** Something that a machine may lack, and the tests that can't run without it. */
export interface Requirement {
  readonly name: string;
  /** Vitest project that is left out without it. */
  readonly project: string;
  readonly isMet: () => boolean;
  /** How to get it: a line for each way. */
  readonly howToGet: readonly string[];
}

export const requirements: readonly Requirement[] = [
  {
    name: 'Chromium',
    project: 'browser',
    isMet: () => findChromium() !== undefined,
    howToGet: [
      'Debian, Ubuntu: sudo apt-get install chromium',
      'macOS: brew install --cask chromium',
      'elsewhere: set CHROMIUM_PATH to the program file of a Chromium or Chrome',
    ],
  },
  {
    name: 'Firefox',
    project: 'firefox',
    isMet: hasFirefox,
    howToGet: ['Debian: sudo apt-get install firefox-esr'],
  },
  {
    name: 'WebKitGTK',
    project: 'webkit',
    isMet: hasWebKit,
    howToGet: ['Debian: sudo apt-get install webkit2gtk-driver xvfb'],
  },
  {
    name: 'Redis',
    project: 'redis',
    isMet: () => findRedis() !== undefined,
    howToGet: ['Debian, Ubuntu: sudo apt-get install redis-server', 'macOS: brew install redis'],
  },
  {
    name: 'PostgreSQL',
    project: 'postgres',
    isMet: () => findPostgres() !== undefined,
    howToGet: ['Debian, Ubuntu: sudo apt-get install postgresql', 'macOS: brew install postgresql'],
  },
  {
    name: 'HAProxy and Redis',
    project: 'haproxy',
    isMet: () => findHaProxy() !== undefined && findRedis() !== undefined,
    howToGet: ['Debian, Ubuntu: sudo apt-get install haproxy redis-server', 'macOS: brew install haproxy redis'],
  },
];
