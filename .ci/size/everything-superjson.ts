/* The same, with Dates, Maps and their like on the wire. */
export * from 'tautline';
export { superjson } from 'tautline/superjson';
