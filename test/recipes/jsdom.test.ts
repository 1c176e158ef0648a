// @vitest-environment jsdom
import './page-tests.ts';
