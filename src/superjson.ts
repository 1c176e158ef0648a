export { superjson } from './codec/superjson.ts';
