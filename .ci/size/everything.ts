/* All that a page can import, with plain JSON on the wire. */
export * from 'tautline';
