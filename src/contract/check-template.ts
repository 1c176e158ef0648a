import { encodeSegment } from './topic-segment.ts';

/* What a template must be. All of it is for development. */

/** Longest template, in characters. */
const MAX_TEMPLATE_LENGTH = 200;

/** @throws TypeError saying what is wrong with a template. */
export function checkTemplate(template: unknown): void {
  if (typeof template !== 'string') throw new TypeError(`the template must be a string, got ${typeof template}`);
  if (template === '') throw new TypeError(`the template is empty; write one like 'rooms/{roomId}'`);
  if (template.length > MAX_TEMPLATE_LENGTH) {
    throw new TypeError(`the template has ${template.length} characters; at most ${MAX_TEMPLATE_LENGTH} are allowed`);
  }
  const params = template.split('/').filter((segment) => checkSegment(template, segment) === 'parameter');
  const twice = params.find((name, index) => params.indexOf(name) !== index);
  if (twice !== undefined) throw malformed(template, `the parameter ${twice} is there twice; give each its own name`);
}

/** Whether some name fills both templates. Both have been checked. */
export function templatesClash(one: string, other: string): boolean {
  const left = one.split('/');
  const right = other.split('/');
  const isParam = (segment: string | undefined) => segment?.startsWith('{') === true;
  return (
    left.length === right.length &&
    left.every((segment, index) => isParam(segment) || isParam(right[index]) || segment === right[index])
  );
}

function checkSegment(template: string, segment: string): 'literal' | 'parameter' {
  if (segment === '') throw malformed(template, `a segment is empty; write no slash at either end and none twice`);
  const param = /^\{([^{}]*)\}$/.exec(segment)?.[1];
  if (param !== undefined) {
    if (/^[A-Za-z_$][\w$]*$/.test(param) && param !== '__proto__') return 'parameter';
    throw malformed(template, `{${param}} is no parameter; name it like a variable, {roomId}`);
  }
  if (/[{}]/.test(segment)) {
    throw malformed(template, `the segment '${segment}' is neither a literal nor one whole parameter like {roomId}`);
  }
  if (encodeSegment(segment) !== segment) {
    throw malformed(template, `the segment '${segment}' has characters that would be percent-encoded; use others`);
  }
  return 'literal';
}

function malformed(template: string, problem: string): TypeError {
  return new TypeError(`in the template '${template}' ${problem}`);
}
