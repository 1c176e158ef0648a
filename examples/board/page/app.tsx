import { useQuery } from '@tanstack/react-query';
import { useState, useSyncExternalStore, type ReactNode } from 'react';
import { Board } from './board.tsx';
import { logins, logOut, q } from './client.ts';
import { Login } from './login.tsx';
import { People } from './people.tsx';
import { Status } from './status.tsx';
import { Summary } from './summary.tsx';
import { Trouble } from './trouble.tsx';

export function App(): ReactNode {
  const { user, tokens } = useSyncExternalStore(logins.listen, logins.get);
  return (
    <>
      <header>
        <h1>
          Tautline <span>board</span>
        </h1>
        <Status />
      </header>
      {user === null ? <Login /> : null}
      {user ? <Rooms key={user.id} name={user.name} tokens={tokens} /> : null}
    </>
  );
}

/** Everything that one user sees. */
function Rooms({ name, tokens }: { readonly name: string; readonly tokens: number }): ReactNode {
  const rooms = useQuery(q.rooms.queryOptions());
  const [chosen, setChosen] = useState('launch');
  return (
    <main>
      <nav aria-label="Rooms">
        {rooms.data?.map(({ id, title }) => (
          <button
            key={id}
            type="button"
            aria-current={id === chosen ? 'page' : undefined}
            onClick={() => setChosen(id)}
          >
            {title}
          </button>
        ))}
        <span className="me">
          {name}
          <button type="button" onClick={logOut}>
            Log out
          </button>
        </span>
      </nav>
      {rooms.error ? <p role="alert">The rooms can’t be shown: {rooms.error.message}</p> : null}
      <Board key={chosen} roomId={chosen} name={name} />
      <aside>
        <People roomId={chosen} name={name} />
        <Summary key={chosen} roomId={chosen} />
        <Trouble tokens={tokens} />
      </aside>
    </main>
  );
}
