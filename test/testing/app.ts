import { connect, createClient } from '../../src/index.ts';
import { appContract } from './app-contract.ts';

/* A module of an app, which connects by itself when it is loaded. */

export const connection = connect('/ws');
export const client = createClient(appContract, connection);
