import { connect, createClient } from 'tautline';
import { Act, panel, type Figures } from '../contract.ts';

const element = (id: string): HTMLElement => document.getElementById(id)!;
const connection = connect('/panel');
const client = createClient(panel, connection);

connection.state.subscribe(({ state }) => (element('status').textContent = state === 'connected' ? '' : state));
client.figures().view.subscribe(({ data }) => data && show(data));

for (const act of Act.options) {
  const button = document.createElement('button');
  button.textContent = act[0]!.toUpperCase() + act.slice(1);
  button.addEventListener('click', () => void run(act));
  element('acts').append(button);
}

async function run(act: Act): Promise<void> {
  const { error } = await client.act(act).safe();
  element('answer').textContent = error === undefined ? '' : error.code === 'NOT_NOW' ? error.data.why : error.message;
}

function show({ nodes, redis, seen }: Figures): void {
  const places = [
    ...nodes.map(({ name, state, clients }) => [`Server ${name}`, state, `${clients} clients`] as const),
    ['Redis', redis === 'up' ? 'serving' : 'frozen', ''] as const,
  ];
  element('nodes').replaceChildren(
    ...places.map(([name, state, more]) => {
      const item = document.createElement('li');
      item.dataset.state = state;
      const detail = document.createElement('small');
      detail.textContent = [state, more].filter(Boolean).join(', ');
      item.append(name, detail);
      return item;
    }),
  );
  const rows: ReadonlyArray<readonly [title: string, value: string | number, isBad?: boolean]> = [
    ['Clients connected', seen.connected],
    ['Calls answered', seen.calls],
    ['Calls failed', seen.failed, seen.failed > 0],
    ['Events heard', seen.events],
    ['Events lost', seen.lost, seen.lost > 0],
    ['Events doubled', seen.doubled, seen.doubled > 0],
    ['Gaps told', seen.gaps],
    ['Median call, ms', seen.p50.toFixed(1)],
    ['Slowest 1 %, ms', seen.p99.toFixed(0)],
  ];
  element('figures').replaceChildren(
    ...rows.map(([title, value, isBad]) => {
      const row = document.createElement('div');
      const [term, figure] = [document.createElement('dt'), document.createElement('dd')];
      term.textContent = title;
      figure.textContent = String(value);
      if (isBad === true) figure.dataset.bad = '';
      row.append(term, figure);
      return row;
    }),
  );
}
