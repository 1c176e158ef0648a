import { configure } from '@testing-library/react';
import { afterEach, beforeEach, expect, vi, type MockInstance } from 'vitest';
import '../../examples/recipes/testing/room.test.tsx';

/* The recipe for apps with a page, of which React does not complain. */

// A busy machine is no failure.
configure({ asyncUtilTimeout: 60_000 });

let complaints: MockInstance<typeof console.error>;

beforeEach(() => {
  complaints = vi.spyOn(console, 'error');
  // As React Testing Library does by itself where a runner's functions are global.
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
});

afterEach(() => {
  expect(complaints.mock.calls).toEqual([]);
});
