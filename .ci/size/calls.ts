/* Queries and mutations, and nothing else. */
export { connect, createClient, defineContract, mutation, query } from 'tautline/core';
