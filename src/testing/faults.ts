export { faultProxy } from './faults/fault-proxy.ts';
export type { FaultProxy, FaultProxyOptions } from './faults/fault-proxy.ts';
export type { Way } from './faults/way-faults.ts';
