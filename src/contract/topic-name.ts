import { DEVELOPMENT } from '../development.ts';
import { checkTemplate } from './check-template.ts';
import { encodeSegment } from './topic-segment.ts';

/** A template that was read: fills in parameters. */
export interface TopicTemplate {
  readonly paramNames: readonly string[];
  /**
   * The topic's name on the wire, `rooms/42`: parameters are percent-encoded.
   * @throws TypeError naming a parameter that is missing, empty, no string or not well-formed text, or a name that
   * is longer than 1024 characters.
   */
  readonly fill: (params: Readonly<Record<string, string>>) => string;
}

/** Longest filled name of a topic, in characters; all of them are ASCII. */
export const MAX_TOPIC_NAME_LENGTH = 1024;

const PARAMETER = /\{([^{}]*)\}/;

/**
 * Reads a template: segments between slashes, each a literal or one `{parameter}`.
 * @throws TypeError saying what is wrong with it, in development; in production it was right when it was developed.
 */
export function parseTemplate(template: string): TopicTemplate {
  if (DEVELOPMENT) checkTemplate(template);
  // What lies between parameters, and their names in between: a name is filled for every publication.
  const parts = template.split(PARAMETER);
  return {
    paramNames: parts.filter((_, index) => index % 2),
    fill: (params) => {
      let name = parts[0]!;
      for (let at = 1; at < parts.length; at += 2) name += fillParam(template, parts[at]!, params) + parts[at + 1]!;
      if (name.length <= MAX_TOPIC_NAME_LENGTH) return name;
      throw new TypeError(
        DEVELOPMENT
          ? `the name of topic '${template}' gets ${name.length} characters with these parameters; ` +
              `at most ${MAX_TOPIC_NAME_LENGTH} are allowed`
          : template,
      );
    },
  };
}

function fillParam(template: string, param: string, params: Readonly<Record<string, unknown>> | undefined): string {
  // An inherited `constructor` is no parameter.
  const value = params && Object.hasOwn(params, param) ? params[param] : undefined;
  const encoded = typeof value === 'string' ? encodeSegment(value) : undefined;
  if (encoded) return encoded;
  throw new TypeError(DEVELOPMENT ? `topic '${template}': the parameter ${param} ${describeParam(value)}` : param);
}

function describeParam(value: unknown): string {
  if (typeof value === 'string' && value !== '') return 'has a lone surrogate; give it well-formed text';
  const got = value === '' ? 'an empty string' : value === null ? 'null' : typeof value;
  return `must be a non-empty string, got ${got}`;
}
