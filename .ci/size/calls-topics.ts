/* What nine of ten apps use: calls and topics, the page's lifecycle, credentials. */
export {
  connect,
  createClient,
  credentials,
  defineContract,
  mutation,
  pageLifecycle,
  query,
  topic,
  topics,
} from 'tautline/core';
