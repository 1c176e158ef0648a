import { useEffect, useRef, type KeyboardEvent, type ReactNode } from 'react';
import { hue } from '../../chat/page/dom.ts';
import type { Column } from '../contract.ts';
import type { ShownCard } from './pending.ts';

interface Props {
  readonly card: ShownCard;
  /** The columns beside its own. */
  readonly before: Column | undefined;
  readonly after: Column | undefined;
  /** It was moved last: the keyboard stays on it. */
  readonly isFocused: boolean;
  readonly onMove: (to: Column) => void;
  readonly onRemove: () => void;
}

/** A card: arrow keys move it, Delete removes it, and so do its buttons. */
export function CardItem({ card, before, after, isFocused, onMove, onRemove }: Props): ReactNode {
  const item = useRef<HTMLLIElement>(null);
  // In another column it is another element.
  useEffect(() => {
    if (isFocused) item.current?.focus();
  }, [isFocused]);
  const moveTo = (to: Column | undefined): void => {
    if (to !== undefined) onMove(to);
  };
  const press = ({ key, target, currentTarget }: KeyboardEvent): void => {
    if (target !== currentTarget) return;
    if (key === 'ArrowLeft') moveTo(before);
    if (key === 'ArrowRight') moveTo(after);
    if (key === 'Delete') onRemove();
  };
  return (
    <li
      ref={item}
      className={card.isPending ? 'card pending' : 'card'}
      tabIndex={0}
      aria-keyshortcuts="ArrowLeft ArrowRight Delete"
      aria-busy={card.isPending}
      onKeyDown={press}
    >
      <p className="text">{card.text}</p>
      <span className="by" style={{ '--hue': hue(card.by) } as object}>
        {card.by}
      </span>
      <span className="acts">
        <button type="button" aria-label="Move left" disabled={!before} onClick={() => moveTo(before)}>
          ←
        </button>
        <button type="button" aria-label="Move right" disabled={!after} onClick={() => moveTo(after)}>
          →
        </button>
        <button type="button" aria-label="Remove" onClick={onRemove}>
          ×
        </button>
      </span>
    </li>
  );
}
