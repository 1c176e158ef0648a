/* A page that asks and is answered. */
export { connect, createClient, defineContract, mutation, query } from 'tautline';
