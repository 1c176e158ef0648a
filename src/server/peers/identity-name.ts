/**
 * Name of an identity on the wire. The same identity has the same name on every server and after every restart
 * (a client that reads another name drops all it was about to send), without being the id of the user itself.
 * It is told to nobody but the peer who proved the identity, so a fast digest of 106 bits does: nothing is kept
 * secret by it, and the server compares the identities themselves.
 */
export function identityName(identity: string): string {
  return digest53(identity, 0x7461757) + digest53(identity, 0x6c696e65);
}

/** cyrb53 (bryc, public domain): 53 bits from two interleaved multiply-xor lanes. */
function digest53(text: string, seed: number): string {
  let high = 0xdeadbeef ^ seed;
  let low = 0x41c6ce57 ^ seed;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    high = Math.imul(high ^ unit, 2654435761);
    low = Math.imul(low ^ unit, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return ((low & 0x1fffff) * 0x100000000 + (high >>> 0)).toString(36).padStart(11, '0');
}
