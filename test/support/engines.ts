import { globSync } from 'node:fs';
import { findProgram } from './find-program.ts';

/** Debian's Firefox is there, and what ends it when its tests die. */
export function hasFirefox(env: NodeJS.ProcessEnv = process.env): boolean {
  return areThere(['firefox-esr', 'setpriv'], env);
}

/** What WebKitGTK needs is there, from Debian's packages. */
export function hasWebKit(env: NodeJS.ProcessEnv = process.env): boolean {
  return areThere(['WebKitWebDriver', 'Xvfb', 'setpriv'], env) && findMiniBrowser() !== undefined;
}

/** WebKitGTK's own browser, which no PATH leads to. */
export function findMiniBrowser(): string | undefined {
  return globSync('/usr/lib/*/webkit2gtk-4.1/MiniBrowser')[0];
}

function areThere(programs: readonly string[], env: NodeJS.ProcessEnv): boolean {
  return programs.every((name) => findProgram([name], env) !== undefined);
}
