import { findChromium } from './chromium.ts';

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
];
