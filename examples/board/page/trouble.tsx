import { useState, type ReactNode } from 'react';
import { useCall, useConnection } from 'tautline/react';
import { client, connection, wish } from './client.ts';

/** Three buttons that make trouble for real, at the server: this page does not pretend. */
export function Trouble({ tokens }: { readonly tokens: number }): ReactNode {
  const hasLine = useConnection(connection, ({ state }) => state === 'connected');
  // The answer to this call can't come over the line that it cuts. It comes over the next one: the server remembers.
  const cut = useCall(client.trouble.cut);
  const stop = useCall(client.trouble.stop);
  const slow = useCall(client.trouble.slow);
  const [isSlow, setSlow] = useState(wish.slow);
  const turnSlow = async (): Promise<void> => {
    const { ok } = await slow.call({ on: !isSlow });
    if (ok) setSlow(turn(!isSlow));
  };
  return (
    <section aria-labelledby="trouble-title">
      <h2 id="trouble-title">Make trouble</h2>
      <div className="trouble">
        <button type="button" disabled={!hasLine || cut.pending} onClick={() => void cut.call()}>
          Cut the line
        </button>
        <button type="button" disabled={!hasLine || stop.pending} onClick={() => void stop.call()}>
          Stop the server
        </button>
        <button type="button" disabled={!hasLine || slow.pending} aria-pressed={isSlow} onClick={() => void turnSlow()}>
          Slow line
        </button>
      </div>
      <p className="soft">
        Tokens fetched: <b id="tokens">{tokens}</b>
      </p>
    </section>
  );
}

function turn(on: boolean): boolean {
  wish.slow = on;
  return on;
}
