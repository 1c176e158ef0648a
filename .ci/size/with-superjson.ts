/* The same, with Dates, Maps and their like on the wire. */
export { connect, createClient, defineContract, mutation, query, stream, topic } from '../../src/index.ts';
export { superjson } from '../../src/superjson.ts';
