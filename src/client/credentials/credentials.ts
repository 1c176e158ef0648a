import { Credentials } from '../../transport/credentials/credentials.ts';
import type { AuthOption } from '../../transport/transport-options.ts';
import { capability, type Capability } from '../kernel/capability.ts';
import { CredentialRefresh } from './credential-refresh.ts';

/**
 * Credentials for the greeting of each socket, refreshed in band before they expire; with it `connection.setAuth` logs in
 * and out. Without a function the connection has none until then. `connect` throws a TypeError for what is no function.
 */
export function credentials(auth?: AuthOption): Capability<'credentials'> {
  return capability('credentials', (kernel) => {
    const source = new Credentials(auth);
    let refresh: CredentialRefresh | undefined;
    return {
      transport: { credentials: source },
      setAuth: (given) => source.replace(given),
      welcomed: (link) => {
        refresh?.stop();
        refresh = new CredentialRefresh(link, kernel, source);
      },
      lost: (link) => {
        if (refresh?.link === link) refresh.stop();
      },
      entered: ({ state }) => {
        if (state === 'closed' || state === 'suspended' || state === 'idle') source.abort(`the connection is ${state}`);
      },
    };
  });
}
