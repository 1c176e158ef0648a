import { connect, createClient, type ConnectOptions } from 'tautline';
import { contract } from './contract.ts';

/** The app calls it once; a test each time anew, with options of its own. */
export const makeClient = (options: ConnectOptions = {}) => {
  const connection = connect('/ws', options);
  return { connection, client: createClient(contract, connection) };
};
