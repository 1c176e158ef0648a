/*
 * Imports one module where every global of the host throws when it is touched, and prints which modules were
 * loaded for it and what it left open: `node import-untouched.ts <url> [keep]`. With `keep` nothing throws.
 */
import { registerHooks } from 'node:module';

const [url = '', keep] = process.argv.slice(2);

/** Not part of the language: what a page, a worker, Node or a native shell may have, or not. */
const hostNames = [
  'document',
  'window',
  'self',
  'location',
  'localStorage',
  'sessionStorage',
  'addEventListener',
  'reportError',
  'XMLHttpRequest',
  'Worker',
  ...Object.getOwnPropertyNames(globalThis).filter((name) => !isOfTheLanguage(name)),
];
const touched: string[] = [];
const loaded: string[] = [];
const { exit, getActiveResourcesInfo } = process;
// Made when first asked for: they are ours, not the module's.
const [stdout] = [process.stdout, process.stderr];
const openBefore = getActiveResourcesInfo();

registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context);
    if (resolved.url !== url) loaded.push(resolved.url);
    return resolved;
  },
});

if (keep === undefined) {
  // Node makes some of its globals when they are first asked for, with the help of others.
  for (const name of hostNames) Reflect.get(globalThis, name);
  for (const name of hostNames) forbid(globalThis, name);
  forbid(Math, 'random');
  forbid(Date, 'now');
}

let error: string | undefined;
try {
  await import(url);
} catch (thrown) {
  error = String(thrown);
}
// The loader itself may still be about to finish reading a file.
const opened = getActiveResourcesInfo().filter((kind) => !kind.startsWith('FSReq'));
for (const kind of openBefore) if (opened.includes(kind)) opened.splice(opened.indexOf(kind), 1);
stdout.write(JSON.stringify({ loaded, touched, error, opened }));
exit(0);

function forbid(owner: object, name: string): void {
  Object.defineProperty(owner, name, {
    configurable: true,
    get(): never {
      touched.push(name);
      throw new Error(`${name} was touched`);
    },
  });
}

/** Names that ECMAScript itself defines, and the ones without which no module can be loaded. */
function isOfTheLanguage(name: string): boolean {
  const names =
    'globalThis Infinity NaN undefined eval isFinite isNaN parseFloat parseInt decodeURI decodeURIComponent ' +
    'encodeURI encodeURIComponent escape unescape AggregateError Array ArrayBuffer BigInt BigInt64Array BigUint64Array ' +
    'Boolean DataView Date Error EvalError FinalizationRegistry Float32Array Float64Array Function Int8Array ' +
    'Int16Array Int32Array Map Number Object Promise Proxy RangeError ReferenceError RegExp Set String Symbol ' +
    'SyntaxError TypeError Uint8Array Uint8ClampedArray Uint16Array Uint32Array URIError WeakMap WeakRef WeakSet ' +
    'Math JSON Reflect Atomics Intl';
  return names.split(' ').includes(name);
}
