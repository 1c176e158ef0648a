import { version } from 'react';
import { version as versionOfDom } from 'react-dom';
import { expect, test } from 'vitest';

test('each project has its React', ({ task }) => {
  const major = task.file.projectName === 'react-18' ? '18' : '19';
  expect([version, versionOfDom].map((full) => full.split('.')[0])).toEqual([major, major]);
});
