import { DEVELOPMENT } from '../../development.ts';

/**
 * A name for this client that nobody can guess: 128 random bits, 32 hex digits. Held in memory only.
 * @throws TypeError where the platform has no `crypto.getRandomValues` (React Native needs a polyfill).
 */
export function newClientId(): string {
  const crypto = (globalThis as { crypto?: Crypto }).crypto;
  if (typeof crypto?.getRandomValues !== 'function') {
    throw new TypeError(
      DEVELOPMENT
        ? 'Tautline needs crypto.getRandomValues to name this client; on React Native import "react-native-get-random-values" first.'
        : 'crypto.getRandomValues',
    );
  }
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
