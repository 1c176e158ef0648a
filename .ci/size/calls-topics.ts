/* The same, and topics: what most pages need. */
export { connect, createClient, defineContract, mutation, query, topic } from 'tautline';
