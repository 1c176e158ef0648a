// @vitest-environment jsdom
import { configure } from 'storybook/test';
import '../../examples/recipes/testing/room.stories.test.ts';

// A busy machine is no failure.
configure({ asyncUtilTimeout: 60_000 });
