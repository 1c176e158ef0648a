import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

/** What the oldest supported engines (Safari 16.4, Chrome 111) lack, although a newer lib of TypeScript knows it. */
const newerThanTheFloor = [
  ['Promise', 'withResolvers', 'Keep resolve and reject in local variables.'],
  ['Promise', 'try', 'Use try and catch around the call.'],
  ['AbortSignal', 'any', 'Listen to each signal.'],
  ['Array', 'fromAsync', 'Use for await.'],
  ['Object', 'groupBy', 'Use a Map.'],
  ['Map', 'groupBy', 'Use a loop.'],
  ['URL', 'canParse', 'Use new URL() in try and catch.'],
  ['URL', 'parse', 'Use new URL() in try and catch.'],
].map(([object, property, message]) => ({
  object,
  property,
  message: `Newer than the oldest supported engines. ${message}`,
}));

/** A page served over plain http has no `randomUUID`. */
const secureContextOnly = ['crypto', 'self.crypto', 'globalThis.crypto'].map((object) => ({
  object,
  property: 'randomUUID',
  message: 'Exists in secure contexts only; use crypto.getRandomValues().',
}));

/** Skipping hides a test that nobody counts; `only` hides all the others. */
const noSkippedTests = [
  {
    selector:
      'MemberExpression[object.name=/^(describe|it|test|suite)$/][property.name=/^(skip|skipIf|runIf|only|todo|fails)$/]',
    message: 'Every test runs, always. What a machine lacks is named by test/support/requirements.ts.',
  },
];

export default defineConfig(
  globalIgnores(['dist/', 'docs/', 'coverage/', '.reports/', '**/*.js', '!eslint.config.js']),
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  {
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    languageOptions: {
      parserOptions: {
        project: ['tsconfig.json', 'test/tsconfig.json', 'examples/tsconfig.json'],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-else-return': 'error',
      'no-implicit-coercion': ['error', { boolean: false }],
      'object-shorthand': 'error',
      'prefer-const': ['error', { destructuring: 'all' }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/consistent-type-exports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // A discarded promise has to say so: `void` in front of it is that word.
      '@typescript-eslint/no-floating-promises': ['error', { ignoreVoid: true }],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { ignoreRestSiblings: true, argsIgnorePattern: '^_', varsIgnorePattern: '^_' },
      ],
      // `() => emit()` is a listener, not a mistake.
      '@typescript-eslint/no-confusing-void-expression': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // With noUncheckedIndexedAccess `!` is the honest way to say that an index was just checked.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // Handlers and listeners are typed `() => void | Promise<void>`; this rule only knows one of the two.
      '@typescript-eslint/no-invalid-void-type': 'off',
      // `type` and `interface` say different things here: a union or an alias, and a shape.
      '@typescript-eslint/consistent-type-definitions': 'off',
      // A function that is async by its interface need not await.
      '@typescript-eslint/require-await': 'off',
      // A type parameter used once carries inference in the typed tree and in schemas.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      // What comes from the wire or from plain JavaScript may break its type: such a check is not unnecessary.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      '@typescript-eslint/no-dynamic-delete': 'off',
      // `||` is meant where an empty string or 0 falls through, too.
      '@typescript-eslint/prefer-nullish-coalescing': ['error', { ignorePrimitives: true }],
      // Both `readonly T[]` and `ReadonlyArray<A | B>` read well, each in its place.
      '@typescript-eslint/array-type': 'off',
      // On the right inside of a function; isolatedDeclarations wants it on the left of what is exported.
      '@typescript-eslint/consistent-generic-constructors': 'off',
      // A mapped type says by the name of its key what it is keyed by.
      '@typescript-eslint/consistent-indexed-object-style': 'off',
      // Callables of the public API are interfaces: the type checker names them instead of spelling them out.
      '@typescript-eslint/prefer-function-type': 'off',
      // isolatedDeclarations wants types that could be inferred.
      '@typescript-eslint/no-inferrable-types': 'off',
      // Control flow within one file, never seen by anybody else: it needs no stack.
      '@typescript-eslint/only-throw-error': ['error', { allow: [{ from: 'file', name: 'Unfit' }] }],
      // A getter of a class takes no room in its objects, of which there may be ten thousand.
      '@typescript-eslint/class-literal-property-style': 'off',
      // Overloads with a doc comment of their own say more than a union.
      '@typescript-eslint/unified-signatures': 'off',
      '@typescript-eslint/no-empty-function': 'off',
    },
  },
  {
    files: ['src/**'],
    rules: {
      'no-console': 'error',
      'max-lines-per-function': ['error', 60],
      'no-restricted-properties': ['error', ...newerThanTheFloor, ...secureContextOnly],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
    },
  },
  {
    // What React's compiler asks of components and hooks: where one breaks a rule, it would leave it as it is.
    files: ['src/react/**', 'examples/**'],
    extends: [reactHooks.configs.flat['recommended-latest']],
  },
  {
    // These folders decide and never act: clock and randomness are handed to them.
    files: ['src/contract/**', 'src/protocol/**', 'src/codec/**', 'src/primitives/**'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...['setTimeout', 'setInterval', 'performance', 'crypto', 'fetch', 'WebSocket', 'navigator', 'document'].map(
          (name) => ({ name, message: 'This layer is pure: take it as an argument.' }),
        ),
      ],
      'no-restricted-properties': [
        'error',
        ...newerThanTheFloor,
        ...secureContextOnly,
        { object: 'Date', property: 'now', message: 'This layer is pure: take a clock.' },
        { object: 'Math', property: 'random', message: 'This layer is pure: take the randomness.' },
      ],
    },
  },
  {
    files: ['test/**'],
    rules: {
      'no-restricted-syntax': ['error', ...noSkippedTests],
      // Tests hand over what no typed caller could, and look at what comes back as `any`.
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-explicit-any': 'off',
      // `expect(object.method)` looks at a method, it does not call it.
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/only-throw-error': 'off',
      '@typescript-eslint/prefer-promise-reject-errors': 'off',
      // A class that nobody knows is a value like any other for a codec.
      '@typescript-eslint/no-extraneous-class': 'off',
    },
  },
  { files: ['**/*.js'], extends: [tseslint.configs.disableTypeChecked] },
);
