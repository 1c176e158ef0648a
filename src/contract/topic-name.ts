/** A template that was read: fills in parameters, and finds them in a name. */
export interface TopicTemplate {
  readonly paramNames: readonly string[];
  /**
   * The topic's name on the wire, `rooms/42`: parameters are percent-encoded.
   * @throws TypeError naming a parameter that is missing, empty, no string or not well-formed text, or a name that
   * is longer than 1024 characters.
   */
  readonly fill: (params: Readonly<Record<string, string>>) => string;
  /** The parameters of a name that this template fills, canonically encoded; otherwise `undefined`. Never throws. */
  readonly match: (name: string) => Readonly<Record<string, string>> | undefined;
}

/** Longest template, in characters. */
const MAX_TEMPLATE_LENGTH = 200;

/** Longest filled name of a topic, in characters; all of them are ASCII. */
export const MAX_TOPIC_NAME_LENGTH = 1024;

type Segment = { readonly literal: string; readonly param?: undefined } | { readonly param: string };

/**
 * Reads a template: segments between slashes, each a literal or one `{parameter}`.
 * @throws TypeError saying what is wrong with it.
 */
export function parseTemplate(template: string): TopicTemplate {
  const segments = readSegments(template);
  const paramNames = segments.flatMap(({ param }) => (param === undefined ? [] : [param]));
  const twice = paramNames.find((name, index) => paramNames.indexOf(name) !== index);
  if (twice !== undefined) throw malformed(template, `the parameter {${twice}} is there twice; give each its own name`);
  return {
    paramNames,
    fill: (params) => fill(template, segments, params),
    match: (name) => match(segments, name),
  };
}

/** Whether some name fills both templates. Both have been read by {@link parseTemplate}. */
export function templatesClash(one: string, other: string): boolean {
  const left = one.split('/');
  const right = other.split('/');
  const isParam = (segment: string | undefined) => segment?.startsWith('{') === true;
  return (
    left.length === right.length &&
    left.every((segment, index) => isParam(segment) || isParam(right[index]) || segment === right[index])
  );
}

function readSegments(template: unknown): readonly Segment[] {
  if (typeof template !== 'string') throw new TypeError(`the template must be a string, got ${typeof template}`);
  if (template === '') throw new TypeError(`the template is empty; write one like 'rooms/{roomId}'`);
  if (template.length > MAX_TEMPLATE_LENGTH) {
    throw new TypeError(`the template has ${template.length} characters; at most ${MAX_TEMPLATE_LENGTH} are allowed`);
  }
  return template.split('/').map((segment) => readSegment(template, segment));
}

function readSegment(template: string, segment: string): Segment {
  if (segment === '') throw malformed(template, `a segment is empty; write no slash at either end and none twice`);
  const param = /^\{([^{}]*)\}$/.exec(segment)?.[1];
  if (param !== undefined) {
    if (/^[A-Za-z_$][\w$]*$/.test(param) && param !== '__proto__') return { param };
    throw malformed(template, `{${param}} is no parameter; name it like a variable, {roomId}`);
  }
  if (/[{}]/.test(segment)) {
    throw malformed(template, `the segment '${segment}' is neither a literal nor one whole parameter like {roomId}`);
  }
  if (encode(segment) !== segment) {
    throw malformed(template, `the segment '${segment}' has characters that would be percent-encoded; use others`);
  }
  return { literal: segment };
}

function malformed(template: string, problem: string): TypeError {
  return new TypeError(`in the template '${template}' ${problem}`);
}

function fill(template: string, segments: readonly Segment[], params: Readonly<Record<string, string>>): string {
  const name = segments
    .map((segment) => (segment.param === undefined ? segment.literal : fillParam(template, segment.param, params)))
    .join('/');
  if (name.length <= MAX_TOPIC_NAME_LENGTH) return name;
  throw new TypeError(
    `the name of topic '${template}' gets ${name.length} characters with these parameters; ` +
      `at most ${MAX_TOPIC_NAME_LENGTH} are allowed`,
  );
}

function fillParam(template: string, param: string, params: Readonly<Record<string, unknown>> | undefined): string {
  // An inherited `constructor` is no parameter.
  const value = params && Object.hasOwn(params, param) ? params[param] : undefined;
  if (typeof value !== 'string' || value === '') {
    const got = value === '' ? 'an empty string' : value === null ? 'null' : typeof value;
    throw new TypeError(`topic '${template}': the parameter ${param} must be a non-empty string, got ${got}`);
  }
  const encoded = encode(value);
  if (encoded !== undefined) return encoded;
  throw new TypeError(`topic '${template}': the parameter ${param} has a lone surrogate; give it well-formed text`);
}

function match(segments: readonly Segment[], name: string): Readonly<Record<string, string>> | undefined {
  if (name.length > MAX_TOPIC_NAME_LENGTH) return undefined;
  const parts = name.split('/');
  if (parts.length !== segments.length) return undefined;
  const entries: [string, string][] = [];
  for (const [index, segment] of segments.entries()) {
    const part = parts[index] ?? '';
    if (segment.param === undefined) {
      if (part !== segment.literal) return undefined;
      continue;
    }
    const value = decode(part);
    // One topic has one name: another way to write the same parameter matches nothing.
    if (value === undefined || value === '' || encode(value) !== part) return undefined;
    entries.push([segment.param, value]);
  }
  // Defines own properties, whatever the parameter is called.
  return Object.fromEntries(entries);
}

/** `undefined` for text with a lone surrogate. */
function encode(text: string): string | undefined {
  try {
    return encodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
