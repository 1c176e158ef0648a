import { useMutation, useMutationState, useQuery } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { newId } from '../../chat/page/me.ts';
import { COLUMNS, type Column } from '../contract.ts';
import { CardItem } from './card.tsx';
import { q } from './client.ts';
import { withMoves, type Move } from './moves.ts';

const TITLES: Readonly<Record<Column, string>> = { todo: 'To do', doing: 'Doing', done: 'Done' };

/** The cards of a room: the topic's state in the cache, and on top of it the moves that are on their way. */
export function Board({ roomId }: { readonly roomId: string }): ReactNode {
  const { data, error } = useQuery(q.cards.stateOptions({ roomId }));
  const move = useMutation(q.card.move.mutationOptions());
  const remove = useMutation(q.card.remove.mutationOptions());
  const moves = useMutationState({
    filters: { mutationKey: q.card.move.mutationKey(), status: 'pending' },
    select: ({ state }) => state.variables as Move,
  });
  const [focused, setFocused] = useState<string>();
  if (error) return <p role="alert">This room can’t be shown: {error.message}</p>;
  if (data === undefined) return <p className="soft">Loading</p>;

  const cards = withMoves(
    data,
    moves.filter((pending) => pending.roomId === roomId),
  );
  const problem = move.error ?? remove.error;
  return (
    <section className="board" aria-label="Cards">
      <AddCard roomId={roomId} />
      <p role="alert" className="problem">
        {problem ? (problem.code === 'GONE' ? 'Somebody has removed that card.' : problem.message) : ''}
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
                      move.mutate({ roomId, id: card.id, column: to });
                    }}
                    onRemove={() => remove.mutate({ roomId, id: card.id })}
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
  const add = useMutation(q.card.add.mutationOptions());
  const [text, setText] = useState('');
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
      {add.error ? <p role="alert">It was not added: {add.error.message}</p> : null}
    </form>
  );
}
