import { sparing } from '../../errors.ts';

/* Where in the app's code something was asked for. All of it is for development. */

/** So many a second: one costs some microseconds, and a kilobyte as long as the answer is awaited. */
const mayNote = sparing(100);

/** Notes the place, if it may. The text of it, which costs most, is only made when somebody reads it. */
export function callSite(): Error | undefined {
  return mayNote() ? new Error('asked for') : undefined;
}

/** Has the stack of an error, which is made when the answer comes, also tell where the app asked for what failed. */
export function tellSite(error: Error, site: Error): void {
  const { stack } = error;
  const get = (): string => `${stack}\n  asked for\n${appLines(site.stack ?? '')}`;
  Object.defineProperty(error, 'stack', { get, configurable: true });
}

/** The lines of a stack without those of this package: they are in the folder, or where it was bundled in the file, of the first. */
function appLines(stack: string): string {
  const lines = stack.split('\n').filter((line) => /:\d+:\d+\)?$/.test(line));
  const own = /[^\s(@]+?(?=client\/requests\/call-site\.|:\d+:\d+\)?$)/.exec(lines[0] ?? '')?.[0];
  return lines.filter((line) => own === undefined || !line.includes(own)).join('\n');
}
