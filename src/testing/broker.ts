export { describeBroker } from './broker/describe-broker.ts';
export type { BrokersUnderTest, BrokerTestOptions, TestRunner } from './broker/describe-broker.ts';
