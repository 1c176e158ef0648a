import { client } from './connection.ts';
import { find, hue, make } from './dom.ts';
import { me } from './me.ts';

const users = client.users();
const list = find('people', HTMLUListElement);

/** Shows who is here: a snapshot, and the events folded into it by the contract's `apply`. */
export function startPeople(): void {
  // A store only listens while somebody looks.
  users.state.subscribe(showPeople);
}

export function showPeople(): void {
  const byName = [...(users.state.get() ?? [])].sort((a, b) => a.localeCompare(b));
  list.replaceChildren(
    ...byName.map((name) => {
      const item = make('li', '', name);
      item.style.setProperty('--hue', hue(name));
      item.classList.toggle('mine', name === me.name);
      return item;
    }),
  );
}
