import { useEffect, useState, type ReactNode } from 'react';
import { useConnection } from 'tautline/react';
import { connection } from './client.ts';

const WORDS = {
  idle: 'Not connected',
  connecting: 'Connecting',
  connected: 'Connected',
  waiting: 'No connection',
  suspended: 'Paused',
  closing: 'Closing',
  closed: 'Not logged in',
} as const;

/** The state of the connection, and the line itself: taut while connected, slack while not. */
export function Status(): ReactNode {
  const status = useConnection(connection);
  const { state } = status;
  useEffect(() => {
    document.documentElement.dataset.line = state;
  }, [state]);
  return (
    <>
      <div className="status" id="status" data-state={state}>
        <span className="dot" aria-hidden="true" />
        <div>
          <span role="status">{WORDS[state]}</span>
          {status.state === 'waiting' ? <Countdown until={status.retryAt} /> : null}
        </div>
        {state === 'waiting' || state === 'suspended' ? (
          <button type="button" id="wake" onClick={() => connection.wake()}>
            Try now
          </button>
        ) : null}
      </div>
      <svg className="line" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
        <path d="M 0 1 Q 50 1 100 1" />
      </svg>
    </>
  );
}

/** Changes each second, so it stays outside what screen readers announce. */
function Countdown({ until }: { readonly until: number }): ReactNode {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, []);
  return <span id="status-wait">next try in {Math.max(0, Math.ceil((until - now) / 1000))} s</span>;
}
