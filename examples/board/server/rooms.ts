import { applyChange, type Card, type Change } from '../contract.ts';
import type { User } from './tokens.ts';

const SHARED = [
  { id: 'launch', title: 'Launch' },
  { id: 'house', title: 'House' },
];

const FIRST: readonly Card[] = [
  { id: 'first-1', text: 'Open this page in a second window', column: 'todo', by: 'Board' },
  { id: 'first-2', text: 'Cut the line, and move a card', column: 'doing', by: 'Board' },
  { id: 'first-3', text: 'Start the board', column: 'done', by: 'Board' },
];

/** All cards. They live in this process only, and are gone when the process is. */
export class Rooms {
  readonly #cards = new Map<string, readonly Card[]>();

  roomsOf({ id }: User): ReadonlyArray<{ id: string; title: string }> {
    return [...SHARED, { id: ownRoom(id), title: 'Only mine' }];
  }

  mayEnter(user: User, roomId: string): boolean {
    return this.roomsOf(user).some(({ id }) => id === roomId);
  }

  cards(roomId: string): readonly Card[] {
    return this.#cards.get(roomId) ?? (roomId === 'launch' ? FIRST : []);
  }

  card(roomId: string, id: string): Card | undefined {
    return this.cards(roomId).find((card) => card.id === id);
  }

  change(roomId: string, change: Change): void {
    this.#cards.set(roomId, applyChange(this.cards(roomId), change));
  }
}

function ownRoom(userId: string): string {
  return `of-${Buffer.from(userId).toString('base64url')}`;
}

/** What there is to say of a board, in words. */
export function summaryOf(cards: readonly Card[]): string[] {
  const count = (column: Card['column']): number => cards.filter((card) => card.column === column).length;
  const doing = cards.filter(({ column }) => column === 'doing').map(({ text }) => `“${text}”`);
  const now = doing.length === 0 ? 'Nobody works on anything.' : `In work now: ${doing.join(', ')}.`;
  const all = cards.length;
  return `There are ${all} cards: ${count('todo')} to do, ${count('done')} done. ${now}`.split(/(?<= )/);
}
