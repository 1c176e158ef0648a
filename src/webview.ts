export { shellLifecycle } from './transport/lifecycle/lifecycle-shell.ts';
export type { ShellBridge } from './transport/lifecycle/lifecycle-shell.ts';
