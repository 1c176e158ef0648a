import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { root } from '../support/source.ts';

const page = readFileSync(`${root}examples/docs/testing-recipes.md`, 'utf8');

test.each(['pair.test.ts', 'room.test.tsx', 'room.stories.tsx', 'room.stories.test.ts'])(
  'the page of recipes shows %s, which runs',
  (file) => {
    const fence = /\.(\w+)$/.exec(file)![1]!;
    expect(page).toContain(
      `\`\`\`${fence}\n${readFileSync(`${root}examples/recipes/testing/${file}`, 'utf8')}\`\`\`\n`,
    );
  },
);
