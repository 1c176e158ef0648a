/* What a page needs that talks plain JSON: the bundle whose size is held. */
export { connect, createClient, defineContract, mutation, query, stream, topic } from '../../src/index.ts';
