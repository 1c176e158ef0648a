import { useState, type ReactNode } from 'react';
import { useStream } from 'tautline/react';
import { client } from './client.ts';

const join = (words: string, word: string): string => words + word;

/** An answer that comes word by word, and goes on after a lost line where it was. */
export function Summary({ roomId }: { readonly roomId: string }): ReactNode {
  const [isAsked, setAsked] = useState(false);
  const answer = useStream(client.summary, isAsked ? { roomId } : null, { reduce: join, initial: '' });
  const isComing = answer.status === 'streaming';
  const begin = (): void => {
    if (isAsked) answer.start();
    else setAsked(true);
  };
  return (
    <section aria-labelledby="summary-title">
      <h2 id="summary-title">In short</h2>
      <button type="button" onClick={isComing ? answer.stop : begin}>
        {isComing ? 'Stop' : 'Sum it up'}
      </button>
      <p id="summary" aria-live="polite" aria-busy={isComing}>
        {answer.data}
      </p>
      {answer.error ? (
        <p role="alert" className="problem">
          It broke off. Sum it up again.
        </p>
      ) : null}
    </section>
  );
}
