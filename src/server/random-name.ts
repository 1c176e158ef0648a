/** A name that nobody guesses: 128 random bits as 32 hexadecimal digits. */
export function randomName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  let name = '';
  for (const byte of bytes) name += byte.toString(16).padStart(2, '0');
  return name;
}
