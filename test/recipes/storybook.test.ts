// @vitest-environment jsdom
import '../../examples/recipes/testing/room.stories.test.ts';
