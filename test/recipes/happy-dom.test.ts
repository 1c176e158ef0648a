// @vitest-environment happy-dom
import './page-tests.ts';
