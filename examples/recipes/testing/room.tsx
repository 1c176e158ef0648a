import type { ReactNode } from 'react';
import { useCall, useConnection, useTopic } from 'tautline/react';
import type { makeClient } from './client.ts';

export function Room({ connection, client }: ReturnType<typeof makeClient>): ReactNode {
  const { state } = useConnection(connection);
  const { data = [] } = useTopic(client.room());
  const send = useCall(client.send);
  return (
    <>
      <p role="status">{state === 'connected' ? 'online' : 'offline'}</p>
      <ul>
        {data.map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ul>
      <button type="button" onClick={() => void send.call('hello')}>
        {send.pending ? 'Sending' : 'Say hello'}
      </button>
    </>
  );
}
