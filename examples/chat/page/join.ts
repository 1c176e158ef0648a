import { client } from './connection.ts';
import { find, say } from './dom.ts';
import { me, setName } from './me.ts';

const form = find('join', HTMLFormElement);
const input = find('name', HTMLInputElement);
const submit = form.querySelector('button')!;
const problem = find('join-problem', HTMLElement);
const composer = find('composer', HTMLFormElement);

/** Asks for a name until there is one, and after that whenever it was lost. */
export function startJoin(joined: () => void): void {
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void join(input.value).then((done) => done && joined());
  });
  // A reload: the same person comes back, if nobody took the name meanwhile.
  if (me.name !== undefined) void join(me.name).then((done) => done && joined());
}

/** Shows the form again, with the reason. What was typed stays where it is. */
export function askName(reason: string): void {
  input.value = me.name ?? '';
  setName(undefined);
  say(problem, reason);
  swap(form, composer);
  input.focus();
}

async function join(name: string): Promise<boolean> {
  submit.disabled = true;
  say(problem, '');
  const answer = await client.join({ name }).safe();
  submit.disabled = false;
  if (answer.ok) {
    setName(answer.data.name);
    swap(composer, form);
    find('text', HTMLTextAreaElement).focus();
    return true;
  }
  const { error } = answer;
  // A declared error: the compiler knows its code, and its data by it.
  if (error.code === 'NAME_TAKEN') say(problem, `“${error.data.name}” is in use. Choose another name.`);
  else if (error.issues) say(problem, error.issues.map(({ message }) => message).join('; '));
  else say(problem, error.message);
  input.focus();
  return false;
}

function swap(shown: HTMLElement, hidden: HTMLElement): void {
  shown.hidden = false;
  hidden.hidden = true;
}
