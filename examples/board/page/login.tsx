import { useState, type ReactNode } from 'react';
import { logIn } from './client.ts';

export function Login(): ReactNode {
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);

  const submit = async (data: FormData): Promise<void> => {
    const name = data.get('name');
    setBusy(true);
    setProblem('');
    const isIn = await logIn(typeof name === 'string' ? name : '').catch(() => undefined);
    setBusy(false);
    if (isIn === undefined) setProblem('The server does not answer. Try again.');
    if (isIn === false) setProblem('Choose a name of at most 24 characters.');
  };

  return (
    <main className="login">
      <form
        autoComplete="off"
        onSubmit={(event) => {
          event.preventDefault();
          void submit(new FormData(event.currentTarget));
        }}
      >
        <label htmlFor="name">Your name</label>
        <div className="row">
          <input id="name" name="name" maxLength={24} required spellCheck={false} aria-describedby="problem" />
          <button type="submit" className="primary" disabled={isBusy}>
            Log in
          </button>
        </div>
        <p className="problem" id="problem" role="alert">
          {problem}
        </p>
        <p className="soft">There are no passwords here: who says a name is that person.</p>
      </form>
    </main>
  );
}
