import { createHash, generateKeyPairSync, sign } from 'node:crypto';

/** A key and a certificate for 127.0.0.1 that nobody vouches for, as PEM: for a browser that looks at none. */
export function selfSigned(): { readonly key: string; readonly cert: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const body = tbsCertificate(publicKey.export({ type: 'spki', format: 'der' }));
  const certificate = sequence(body, ECDSA_WITH_SHA256, bits(sign('sha256', body, privateKey)));
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    cert: `-----BEGIN CERTIFICATE-----\n${certificate.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`,
  };
}

// DER (ITU-T X.690): a tag, a length in as few octets as it takes, a value.
function der(tag: number, ...values: readonly Uint8Array[]): Buffer {
  const value = Buffer.concat(values);
  const { length } = value;
  const octets = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...octets), value]);
}
const sequence = (...values: readonly Uint8Array[]): Buffer => der(0x30, ...values);
const integer = (...bytes: readonly number[]): Buffer => der(0x02, Buffer.from(bytes));
const bits = (value: Uint8Array): Buffer => der(0x03, Buffer.of(0), value);
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const utcTime = (date: Date): Buffer =>
  der(0x17, Buffer.from(`${date.toISOString().slice(2, 19).replace(/[-:T]/g, '')}Z`));

const ECDSA_WITH_SHA256 = sequence(oid('2a8648ce3d040302'));
const COMMON_NAME = oid('550403');
const SUBJECT_ALTERNATIVE_NAME = oid('551d11');
const DAY_MS = 86_400_000;

/** RFC 5280 section 4.1, version 3. */
function tbsCertificate(publicKey: Buffer): Buffer {
  const now = Date.now();
  const name = sequence(der(0x31, sequence(COMMON_NAME, der(0x0c, Buffer.from('tautline tests')))));
  const address = der(0x04, sequence(der(0x87, Buffer.of(127, 0, 0, 1))));
  return sequence(
    der(0xa0, integer(2)),
    integer(1, ...createHash('sha256').update(publicKey).digest().subarray(0, 8)),
    ECDSA_WITH_SHA256,
    name,
    sequence(utcTime(new Date(now - DAY_MS)), utcTime(new Date(now + DAY_MS))),
    name,
    publicKey,
    der(0xa3, sequence(sequence(SUBJECT_ALTERNATIVE_NAME, address))),
  );
}
