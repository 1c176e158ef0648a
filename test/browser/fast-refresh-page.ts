/** Files of an app in React: what it agrees on, what connects, and what shows it. */
export const files: Readonly<Record<string, string>> = {
  'index.html':
    '<!doctype html><html lang="en"><title>refresh</title><link rel="icon" href="data:,"><div id="root"></div><script type="module" src="/main.jsx"></script>',
  'contract.js': `
    import { defineContract, topic } from 'tautline';
    import { z } from 'zod';
    export const order = 'as they come';
    export const contract = defineContract({
      words: topic('words', { event: z.string(), snapshot: z.array(z.string()), apply }),
    });
    function apply(words, word) {
      return order === 'as they come' ? [...words, word] : [word, ...words];
    }`,
  'client.js': `
    import { connect, createClient } from 'tautline';
    import { contract } from './contract.js';
    const connection = import.meta.hot?.data.connection ?? connect('/ws');
    if (import.meta.hot) import.meta.hot.data.connection = connection;
    export const client = createClient(contract, connection);`,
  'words.jsx': `
    import { useState } from 'react';
    import { useTopic } from 'tautline/react';
    import { client } from './client.js';
    import { order } from './contract.js';
    export function Words() {
      const [count, setCount] = useState(0);
      const { status, data } = useTopic(client.words());
      return <button onClick={() => setCount(count + 1)}>edition 0: {count} {order} {status} {data?.join()}</button>;
    }`,
  'main.jsx': `
    import { StrictMode } from 'react';
    import { createRoot } from 'react-dom/client';
    import { Words } from './words.jsx';
    createRoot(document.getElementById('root')).render(<StrictMode><Words /></StrictMode>);`,
};
