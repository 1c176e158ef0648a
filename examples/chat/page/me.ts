/** 128 random bits in hex. `crypto.randomUUID` would be missing on a phone that opens the page over plain http. */
export function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Who this tab is. Kept for the tab, so that a reload is the same person; another tab is somebody else. */
export const me: { readonly session: string; name: string | undefined } = {
  session: keep('session') ?? keep('session', newId()) ?? newId(),
  name: keep('name'),
};

/** Takes a name; without one, forgets it. */
export function setName(name: string | undefined): void {
  me.name = name;
  keep('name', name ?? '');
}

function keep(key: string, value?: string): string | undefined {
  try {
    if (value !== undefined) sessionStorage.setItem(`chat.${key}`, value);
    return sessionStorage.getItem(`chat.${key}`) || undefined;
  } catch {
    // Storage is forbidden here: the page works without, until it is reloaded.
    return undefined;
  }
}
