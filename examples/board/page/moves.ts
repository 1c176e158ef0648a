import type { Card, Column } from '../contract.ts';

/** A move that the server has not answered. */
export interface Move {
  readonly roomId: string;
  readonly id: string;
  readonly column: Column;
}

/** A card as the page shows it: where it will be, if all goes well. */
export interface ShownCard extends Card {
  readonly isMoving: boolean;
}

/** The server's cards with what is on its way on top: nothing has to be undone where a move is refused. */
export function withMoves(cards: readonly Card[], moves: readonly Move[]): ShownCard[] {
  let shown = cards.map((card): ShownCard => ({ ...card, isMoving: false }));
  for (const { id, column } of moves) {
    const moved = shown.find((card) => card.id === id);
    if (moved === undefined) continue;
    shown = [...shown.filter((card) => card !== moved), { ...moved, column, isMoving: true }];
  }
  return shown;
}
