import { useEffect, type ReactNode } from 'react';
import { useTopic } from 'tautline/react';
import { hue } from '../../chat/page/dom.ts';
import { client } from './client.ts';

interface Props {
  readonly roomId: string;
  readonly name: string;
}

/** Who is in the room; whoever sees this is. */
export function People({ roomId, name }: Props): ReactNode {
  const here = client.here({ roomId });
  useEffect(() => {
    const stay = here.enter({ name });
    return () => stay.leave();
  }, [here, name]);
  const { data = [] } = useTopic(here);
  return (
    <section className="people" aria-labelledby="people-title">
      <h2 id="people-title">Here now</h2>
      <ul id="people">
        {data.map(({ id, info }) => (
          <li key={id} style={{ '--hue': hue(info.name) } as object}>
            {info.name}
          </li>
        ))}
      </ul>
    </section>
  );
}
