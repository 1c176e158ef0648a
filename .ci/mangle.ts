/*
 * Gives the internal properties of the built client short names: `deadlineAt` is `a` in every file. What somebody else
 * may say by its name is left as it is. A name becomes short only where
 *   - a type or a class of src declares it, outside of what is for servers and tests alone;
 *   - no type that is published names it, no message of the wire, and nothing that a connection notes;
 *   - neither the language, nor the DOM, nor a package that the client imports has a member of that name;
 *   - nor does a peer have one, which what is for that peer uses;
 *   - no cast says it of what somebody else made: `globalThis as { process?: … }`;
 *   - no file of src has it as a text, by which it might be reached;
 *   - no file for servers or tests alone uses it: those stay as they are.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { transform } from 'esbuild';
import ts from 'typescript';

/** Names of the platform that the libraries of TypeScript do not know. */
const PLATFORM = ['captureStackTrace', 'effectiveType', 'saveData'];
/** Packages that the client hands objects to, or gets them from. */
const PACKAGES = ['nanoevents', 'superjson/dist', '@standard-schema/spec'];
/** The same of folders of src. */
const PEERS = { react: '@types/react', 'tanstack-query': '@tanstack/query-core' };
/** Folders that are left as they are. */
const KEPT = /^(?:server|testing)\b/;
/** Letters in the order in which they compress best next to code. */
const LETTERS = 'etnoisrcadulmhpfgbvyxkwjzqETNOISRCADULMHPFGBVYXKWJZQ_$';

function filesIn(folder: string, ending: RegExp): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && ending.test(entry.name));
  return files.map(({ parentPath, name }) => join(parentPath, name));
}

function eachNode(file: string, look: (node: ts.Node) => void): void {
  const visit = (node: ts.Node): void => {
    look(node);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest));
}

/** Names of the members that types and classes of some files declare. */
function declaredIn(files: readonly string[]): Set<string> {
  const names = new Set<string>();
  for (const file of files) {
    eachNode(file, (node) => {
      const { name } = node as { readonly name?: ts.Node };
      const isMember = ts.isTypeElement(node) || ts.isClassElement(node);
      if (isMember && name !== undefined && (ts.isIdentifier(name) || ts.isStringLiteral(name))) names.add(name.text);
    });
  }
  return names;
}

/** Names of the members in the types of casts, at any depth. */
function castIn(files: readonly string[]): Set<string> {
  const names = new Set<string>();
  const look = (node: ts.Node): void => {
    if (ts.isPropertySignature(node) && ts.isIdentifier(node.name)) names.add(node.name.text);
    ts.forEachChild(node, look);
  };
  for (const file of files) {
    eachNode(file, (node) => {
      if (ts.isAsExpression(node)) look(node.type);
    });
  }
  return names;
}

/** Every name and every text of some files, whatever it is there. */
function saidIn(files: readonly string[], kinds: 'texts' | 'names and texts'): Set<string> {
  const said = new Set<string>();
  for (const file of files) {
    eachNode(file, (node) => {
      if (ts.isStringLiteralLike(node) || (kinds !== 'texts' && ts.isIdentifier(node))) said.add(node.text);
    });
  }
  return said;
}

/** Names in what is given to `note`: a record tells them as they are. */
function notedIn(files: readonly string[]): Set<string> {
  const noted = new Set<string>();
  for (const file of files) {
    eachNode(file, (node) => {
      if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return;
      if (node.expression.name.text !== 'note') return;
      for (const given of node.arguments) {
        if (!ts.isObjectLiteralExpression(given)) continue;
        for (const { name } of given.properties) if (name !== undefined && ts.isIdentifier(name)) noted.add(name.text);
      }
    });
  }
  return noted;
}

const declarationsOf = (root: string, name: string) => filesIn(join(root, 'node_modules', name), /\.d\.ts$/);

function libraries(root: string): string[] {
  const folder = dirname(ts.getDefaultLibFilePath({}));
  const own = readdirSync(folder).filter((name) => /^lib\.(?:es|dom|decorators)/.test(name));
  return [...own.map((name) => join(folder, name)), ...PACKAGES.flatMap((name) => declarationsOf(root, name))];
}

/** Names that a folder of src uses and its peer declares. */
function sharedWithPeers(root: string): Set<string>[] {
  return Object.entries(PEERS).map(([folder, name]) => {
    const used = saidIn(filesIn(join(root, 'src', folder), /\.ts$/), 'names and texts');
    return new Set([...declaredIn(declarationsOf(root, name))].filter((member) => used.has(member)));
  });
}

/** The names that become short. */
function internalNames(root: string, dist: string, scripts: readonly string[]): string[] {
  const isKept = (file: string, folder: string) => KEPT.test(file.slice(folder.length + 1));
  const src = join(root, 'src');
  const own = filesIn(src, /\.ts$/).filter((file) => !isKept(file, src));
  const declared = declaredIn(own);
  const reserved = [
    new Set(PLATFORM),
    saidIn(filesIn(dist, /\.d\.ts$/), 'names and texts'),
    declaredIn([join(src, 'protocol/messages.ts')]),
    declaredIn(libraries(root)),
    ...sharedWithPeers(root),
    castIn(own),
    saidIn(own, 'texts'),
    notedIn(own),
    saidIn(
      scripts.filter((file) => isKept(file, dist)),
      'names and texts',
    ),
  ];
  return [...declared].filter((name) => /^[\w$]+$/.test(name) && !reserved.some((names) => names.has(name)));
}

/** A short name for each, the shortest for the most frequent; none that a file of the build has already. */
function shortNames(names: readonly string[], scripts: readonly string[]): Record<string, string> {
  const taken = saidIn(scripts, 'names and texts');
  const texts = scripts.map((file) => readFileSync(file, 'utf8')).join('\n');
  const counts = new Map(names.map((name) => [name, texts.split(new RegExp(`\\b${name}\\b`)).length]));
  const short: Record<string, string> = {};
  let number = 0;
  for (const name of [...names].sort((one, other) => counts.get(other)! - counts.get(one)! || (one < other ? -1 : 1))) {
    let candidate;
    do candidate = nameOf(number++);
    while (taken.has(candidate));
    short[name] = candidate;
  }
  return short;
}

function nameOf(number: number): string {
  const first = LETTERS.charAt(number % LETTERS.length);
  return number < LETTERS.length ? first : nameOf(Math.floor(number / LETTERS.length) - 1) + first;
}

/** Shortens the names in a build for production, in place. */
export async function mangle(root: string, dist: string): Promise<void> {
  const scripts = filesIn(dist, /\.js$/).filter((file) => !file.startsWith(join(dist, 'development')));
  const names = internalNames(root, dist, scripts);
  const mangleCache = shortNames(names, scripts);
  const mangleProps = new RegExp(`^(?:${names.map((name) => name.replaceAll('$', '\\$')).join('|')})$`);
  await Promise.all(
    scripts.map(async (file) => {
      // A file without a map only passes on what others export.
      if (!existsSync(`${file}.map`)) return;
      const [code] = readFileSync(file, 'utf8').split('\n//# sourceMappingURL=') as [string];
      const map = readFileSync(`${file}.map`).toString('base64');
      const made = await transform(`${code}\n//# sourceMappingURL=data:application/json;base64,${map}`, {
        sourcefile: basename(file),
        sourcemap: 'external',
        target: 'es2022',
        mangleProps,
        mangleCache,
      });
      writeFileSync(file, `${made.code}//# sourceMappingURL=${basename(file)}.map\n`);
      writeFileSync(`${file}.map`, made.map);
    }),
  );
}
