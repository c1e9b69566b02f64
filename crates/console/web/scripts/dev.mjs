// The page for development: rebuilt at every change, API and all else asked of a server, the mock one if none is named.
//
// `npm run dev -- --api http://127.0.0.1:7788 --port 5173`

import { createServer, request } from 'node:http';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as esbuild from 'esbuild';
import { html, OPTIONS, ROOT } from './build.mjs';

const option = (name, otherwise) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : process.argv[at + 1];
};

const api = new URL(option('api', 'http://127.0.0.1:7788'));
const port = Number(option('port', '5173'));

const context = await esbuild.context({
  ...OPTIONS,
  entryPoints: ['src/main.tsx'],
  outdir: '.dev',
  splitting: true,
  sourcemap: 'inline',
  write: false,
  define: { 'process.env.NODE_ENV': '"development"' },
});
const built = await context.serve({ host: '127.0.0.1', port: 0 });

function pass(from, to, target) {
  const headers = { ...from.headers, host: target.host };
  // The server refuses changes that another site's page asks for; to it, this page is its own.
  if (headers.origin !== undefined) headers.origin = target.origin;
  const asked = request({ hostname: target.hostname, port: target.port, path: from.url, method: from.method, headers }, (answer) => {
    to.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(to);
  });
  asked.on('error', () => {
    if (!to.headersSent) to.writeHead(502);
    to.end();
  });
  from.pipe(asked);
}

createServer(async (from, to) => {
  const path = new URL(from.url ?? '/', 'http://localhost').pathname;
  if (path.startsWith('/api/') || path === '/health') {
    pass(from, to, api);
  } else if (path === '/' || !path.split('/').pop().includes('.')) {
    to.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
    to.end(html({ boot: '/boot.js', icon: '/favicon.svg', script: '/main.js', style: '/main.css', preload: [] }));
  } else if (path === '/boot.js' || path === '/favicon.svg') {
    to.writeHead(200, { 'content-type': path.endsWith('.js') ? 'text/javascript' : 'image/svg+xml' });
    to.end(await readFile(join(ROOT, 'public', path)));
  } else {
    pass(from, to, new URL(`http://127.0.0.1:${built.port}`));
  }
}).listen(port, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${port}/ with the API of ${api.origin}`);
});
