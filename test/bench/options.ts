import { parseArgs } from 'node:util';
import type { PeerName, Source } from './peers/peer.ts';

/** What a run is to do. */
export interface BenchOptions {
  /** Names of workloads; all of them when there is none. */
  readonly rows: readonly string[];
  readonly rounds: number;
  readonly isShort: boolean;
  readonly source: Source;
  /** Besides raw and Tautline. */
  readonly peers: readonly PeerName[];
  readonly json: string | undefined;
}

const OTHERS: readonly PeerName[] = ['socket.io', 'trpc'];

/** Reads the command line. @throws Error for what makes no sense. */
export function readOptions(args: readonly string[], known: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rows: { type: 'string' },
      rounds: { type: 'string' },
      short: { type: 'boolean', default: false },
      from: { type: 'string', default: 'dist' },
      peers: { type: 'string', default: OTHERS.join() },
      json: { type: 'string' },
    },
  });
  const rounds = Number(values.rounds ?? (values.short ? 3 : 5));
  if (!Number.isSafeInteger(rounds) || rounds < 1) throw new Error(`--rounds is ${values.rounds}: give 1 or more`);
  const { from } = values;
  if (from !== 'dist' && from !== 'src') throw new Error(`--from is ${from}: give dist or src`);
  return {
    rows: chosen('rows', values.rows ?? '', known),
    rounds,
    isShort: values.short,
    source: from,
    peers: values.peers === 'none' ? [] : chosen('peers', values.peers, OTHERS),
    json: values.json,
  };
}

function chosen<Name extends string>(option: string, list: string, known: readonly Name[]): Name[] {
  const names = list.split(',').filter((name) => name !== '');
  const unknown = names.filter((name) => !known.includes(name as Name));
  if (unknown.length > 0) throw new Error(`--${option}: no such thing as ${unknown.join(', ')}: give ${known.join()}`);
  return names as Name[];
}
