/** So many, evenly in so much time. */
export const EVENTS = 6_000;
export const DURING_MS = 3_000;

/** What is measured, in the order of the table. */
export const HOOK_NAMES = [
  'useTopic',
  "useTopic, pace 'frame'",
  'useState and useEffect',
  'react-use-websocket',
] as const;
export type HookName = (typeof HOOK_NAMES)[number];

/** What became of the events in a page. */
export interface Figures {
  /** Different events in the list, in the end. */
  readonly shown: number;
  /** Calls of the component. */
  readonly renders: number;
  /** Frames of the page, until the list changed for the last time. */
  readonly frames: number;
  /** What was thrown and nobody caught. */
  readonly errors: number;
  /** From the first change of the list to the last one. */
  readonly ms: number;
}

/** What is owed, and missed. */
export function missed(name: HookName, { shown, renders, frames, errors }: Figures): string[] {
  if (name !== 'useTopic' && name !== "useTopic, pace 'frame'") return [];
  const complaints: string[] = [];
  if (shown !== EVENTS) complaints.push(`${name}: ${shown} of ${EVENTS} events are shown`);
  if (errors > 0) complaints.push(`${name}: ${errors} errors`);
  if (name !== 'useTopic' && renders > frames + 5) complaints.push(`${name}: ${renders} renders in ${frames} frames`);
  return complaints;
}

export const HEADER =
  '| hook                   | shown | renders | frames | errors |   took |\n' +
  '| ---------------------- | ----: | ------: | -----: | -----: | -----: |';

export function row(name: HookName, { shown, renders, frames, errors, ms }: Figures): string {
  const figures = [
    String(shown).padStart(5),
    String(renders).padStart(7),
    String(frames).padStart(6),
    String(errors).padStart(6),
    `${(ms / 1000).toFixed(1)} s`.padStart(6),
  ];
  return `| ${[name.padEnd(22), ...figures].join(' | ')} |`;
}
