import { MAX_TOPIC_NAME_LENGTH } from './topic-name.ts';
import { encodeSegment } from './topic-segment.ts';

/**
 * The parameters of a name that a template fills, canonically encoded; otherwise `undefined`. Never throws. The server
 * alone needs it: a client knows the topics that it asked for by their names.
 */
export function matchTopic(template: string, name: string): Readonly<Record<string, string>> | undefined {
  if (name.length > MAX_TOPIC_NAME_LENGTH) return undefined;
  const segments = template.split('/');
  const parts = name.split('/');
  if (parts.length !== segments.length) return undefined;
  const entries: [string, string][] = [];
  for (const [index, segment] of segments.entries()) {
    const part = parts[index]!;
    if (!segment.startsWith('{')) {
      if (part !== segment) return undefined;
      continue;
    }
    const value = decode(part);
    // One topic has one name: another way to write the same parameter matches nothing.
    if (value === undefined || value === '' || encodeSegment(value) !== part) return undefined;
    entries.push([segment.slice(1, -1), value]);
  }
  // Defines own properties, whatever the parameter is called.
  return Object.fromEntries(entries);
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
