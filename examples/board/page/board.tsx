import { useMutation, useMutationState, useQuery } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import type { TautlineError } from 'tautline';
import { newId } from '../../chat/page/me.ts';
import { COLUMNS, type Column } from '../contract.ts';
import { CardItem } from './card.tsx';
import { q } from './client.ts';
import { withPending, type Pending } from './pending.ts';
import { words } from './words.ts';

const TITLES: Readonly<Record<Column, string>> = { todo: 'To do', doing: 'Doing', done: 'Done' };

interface Props {
  readonly roomId: string;
  /** Of who looks at it. */
  readonly name: string;
}

/** The cards of a room: the topic's state in the cache, and on top of it what is on its way. */
export function Board({ roomId, name }: Props): ReactNode {
  const { data, error } = useQuery(q.cards.stateOptions({ roomId }));
  const [problem, setProblem] = useState('');
  // Of any of them: `move.error` is the last one's.
  const onError = (failed: TautlineError): void => setProblem(words(failed));
  const move = useMutation(q.card.move.mutationOptions({ onError }));
  const remove = useMutation(q.card.remove.mutationOptions({ onError }));
  const pending = useMutationState({
    filters: { mutationKey: q.card.key(), status: 'pending' },
    select: ({ state }) => state.variables as Pending,
  });
  const [focused, setFocused] = useState<string>();
  if (error)
    return (
      <p role="alert" className="problem">
        This room can’t be shown: {error.message}
      </p>
    );
  if (data === undefined) return <p className="soft">Loading</p>;

  const here = pending.filter((change) => change.roomId === roomId);
  const cards = withPending(data, here, name);
  return (
    <section className="board" aria-label="Cards">
      <AddCard roomId={roomId} />
      <p role="alert" className="problem">
        {problem}
      </p>
      <div className="columns">
        {COLUMNS.map((column, at) => (
          <section key={column} aria-label={TITLES[column]}>
            <h2>{TITLES[column]}</h2>
            <ul data-column={column}>
              {cards
                .filter((card) => card.column === column)
                .map((card) => (
                  <CardItem
                    key={card.id}
                    card={card}
                    before={COLUMNS[at - 1]}
                    after={COLUMNS[at + 1]}
                    isFocused={focused === card.id}
                    onMove={(to) => {
                      setFocused(card.id);
                      setProblem('');
                      move.mutate({ roomId, id: card.id, column: to });
                    }}
                    onRemove={() => {
                      setProblem('');
                      remove.mutate({ roomId, id: card.id });
                    }}
                  />
                ))}
            </ul>
          </section>
        ))}
      </div>
    </section>
  );
}

function AddCard({ roomId }: { readonly roomId: string }): ReactNode {
  const [text, setText] = useState('');
  // What was not added is not lost either.
  const add = useMutation(
    q.card.add.mutationOptions({ onError: (_, refused) => setText((typed) => typed || refused.text) }),
  );
  return (
    <form
      className="row"
      autoComplete="off"
      onSubmit={(event) => {
        event.preventDefault();
        add.mutate({ roomId, id: newId(), text });
        setText('');
      }}
    >
      <label htmlFor="text" className="unseen">
        New card
      </label>
      <input
        id="text"
        maxLength={140}
        required
        placeholder="New card"
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <button type="submit" className="primary">
        Add
      </button>
      {add.error ? (
        <p role="alert" className="problem">
          {words(add.error)}
        </p>
      ) : null}
    </form>
  );
}
