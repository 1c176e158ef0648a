import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** Text of files by their path in the repository, `src/errors.ts`. */
export type Files = ReadonlyMap<string, string>;

/** One import of a file: static or dynamic, of values or of types, or a re-export. */
export interface Import {
  /** As written. */
  readonly specifier: string;
  /** Path in the repository for a relative specifier. */
  readonly file: string | undefined;
  /** Name of the package, `@scope/name`, or the builtin, `node:fs`. */
  readonly pkg: string | undefined;
  readonly line: number;
}

/** One function, method, accessor, constructor or arrow function. */
export interface FunctionSpan {
  readonly name: string;
  readonly line: number;
  /** From its first line to its last, comments and blank lines included. */
  readonly lines: number;
}

/** Folder of the repository. */
export const root: string = fileURLToPath(new URL('../../', import.meta.url));

/** Reads all TypeScript files below some folders. */
export function readFiles(...folders: readonly string[]): Files {
  const files = new Map<string, string>();
  for (const folder of folders) {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true, recursive: true })) {
      if (!entry.isFile() || !/\.tsx?$/.test(entry.name)) continue;
      const path = join(entry.parentPath, entry.name);
      files.set(path.slice(root.length).replaceAll('\\', '/'), readFileSync(path, 'utf8'));
    }
  }
  return files;
}

/** All imports of a file, `import type` and `import('…')` included. */
export function importsOf(path: string, text: string): readonly Import[] {
  const source = parse(path, text);
  const imports: Import[] = [];
  const visit = (node: ts.Node): void => {
    const specifier = specifierOf(node);
    if (specifier !== undefined) imports.push(toImport(path, specifier, lineOf(source, node)));
    ts.forEachChild(node, visit);
  };
  visit(source);
  return imports;
}

/** All functions of a file that have a body. */
export function functionsOf(path: string, text: string): readonly FunctionSpan[] {
  const source = parse(path, text);
  const functions: FunctionSpan[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body !== undefined) {
      const first = lineOf(source, node);
      const last = source.getLineAndCharacterOfPosition(node.getEnd()).line + 1;
      functions.push({ name: nameOf(node, source), line: first, lines: last - first + 1 });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return functions;
}

const parsed = new Map<string, ts.SourceFile>();

function parse(path: string, text: string): ts.SourceFile {
  const known = parsed.get(path);
  if (known?.text === text) return known;
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  parsed.set(path, source);
  return source;
}

function specifierOf(node: ts.Node): string | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return literal(node.moduleSpecifier);
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) return literal(node.argument.literal);
  if (ts.isExternalModuleReference(node)) return literal(node.expression);
  if (!ts.isCallExpression(node)) return undefined;
  const callee = node.expression;
  const loads =
    callee.kind === ts.SyntaxKind.ImportKeyword ||
    (ts.isIdentifier(callee) && callee.text === 'require') ||
    (ts.isPropertyAccessExpression(callee) && ['require', 'getBuiltinModule'].includes(callee.name.text));
  // A name that is computed can't be checked: it stands in the report as what it is.
  return loads ? (literal(node.arguments[0]) ?? '(computed)') : undefined;
}

function literal(node: ts.Node | undefined): string | undefined {
  return node !== undefined && ts.isStringLiteralLike(node) ? node.text : undefined;
}

function toImport(path: string, specifier: string, line: number): Import {
  if (specifier.startsWith('.')) {
    return { specifier, file: join(dirname(path), specifier).replaceAll('\\', '/'), pkg: undefined, line };
  }
  if (specifier.startsWith('node:')) return { specifier, file: undefined, pkg: specifier, line };
  const parts = specifier.split('/');
  return { specifier, file: undefined, pkg: parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/'), line };
}

function lineOf(source: ts.SourceFile, node: ts.Node): number {
  return source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
}

function nameOf(node: ts.Node, source: ts.SourceFile): string {
  if (ts.isConstructorDeclaration(node)) return 'constructor';
  const owner = ts.isArrowFunction(node) || ts.isFunctionExpression(node) ? node.parent : node;
  const name = (owner as { name?: ts.Node }).name;
  return name?.getText(source) ?? '(anonymous)';
}
