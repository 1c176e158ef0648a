import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { sources } from './from-source.ts';

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};

/**
 * Serves a page below a path, and bundles it in memory when it is asked for. A real app would build once and leave this
 * to its web server.
 */
export function servePage(folder: URL, base = '/'): RequestListener {
  let files: Promise<ReadonlyMap<string, string | Uint8Array>> | undefined;
  return (request, response) => {
    const path = request.url?.split('?', 1)[0]?.slice(base.length) || 'index.html';
    (files ??= bundle(folder, base)).then(
      (all) => answer(request, response, path, all.get(path)),
      (error: unknown) => response.writeHead(500, { 'content-type': 'text/plain' }).end(String(error)),
    );
  };
}

function answer(request: IncomingMessage, response: ServerResponse, path: string, body?: string | Uint8Array): void {
  if (body === undefined) {
    response.writeHead(404, { 'content-type': 'text/plain' }).end('Not found\n');
    return;
  }
  response.writeHead(200, {
    'content-type': TYPES[path.slice(path.lastIndexOf('.') + 1)] ?? 'application/octet-stream',
    'content-security-policy': policy(request),
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
  });
  response.end(body);
}

async function bundle(folder: URL, base: string): Promise<ReadonlyMap<string, string | Uint8Array>> {
  const result = await build({
    root: fileURLToPath(folder),
    base,
    configFile: false,
    // Warnings tell that `'use client'` means nothing here.
    logLevel: 'error',
    // The library's sources, as for the server.
    resolve: {
      alias: Array.from(sources, ([entry, url]) => ({
        find: new RegExp(`^${entry}$`),
        replacement: fileURLToPath(url),
      })),
    },
    build: { write: false, assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  });
  const files = new Map<string, string | Uint8Array>();
  if (!('output' in result)) throw new TypeError('the page was not built into one bundle');
  for (const file of result.output) files.set(file.fileName, file.type === 'chunk' ? file.code : file.source);
  return files;
}

/**
 * Nothing inline, nothing from elsewhere, no eval. Older Safaris do not take 'self' to cover a WebSocket to the same
 * host, so its address is there too.
 */
function policy({ headers: { host = '' } }: IncomingMessage): string {
  const socket = /^[\w.:[\]-]+$/.test(host) ? ` ws://${host} wss://${host}` : '';
  return [
    "default-src 'self'",
    `connect-src 'self'${socket}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}
