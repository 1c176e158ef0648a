import type { Card, Column } from '../contract.ts';

/** Input of `add`, `move` or `remove`, while the server has not answered. */
export interface Pending {
  readonly roomId: string;
  readonly id: string;
  readonly text?: string;
  readonly column?: Column;
}

/** A card as the page shows it: where and what it will be, if all goes well. */
export interface ShownCard extends Card {
  readonly isPending: boolean;
}

/** The server's cards with what is on its way on top: nothing has to be undone where it is refused. */
export function withPending(cards: readonly Card[], pending: readonly Pending[], by: string): readonly ShownCard[] {
  let shown = cards.map((card): ShownCard => ({ ...card, isPending: false }));
  for (const { id, text, column } of pending) {
    const card = shown.find((known) => known.id === id);
    const others = shown.filter((known) => known !== card);
    if (text !== undefined) shown = [...others, card ?? { id, text, column: 'todo', by, isPending: true }];
    else if (column === undefined) shown = others;
    else if (card) shown = [...others, { ...card, column, isPending: true }];
  }
  return shown;
}
