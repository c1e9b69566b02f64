// Builds `dist/`: the page as the binary embeds it, each file compressed already.
//
// The same sources and lock file give the same bytes anywhere. So the files are compressed by a package of the lock file:
// the zlib of another Node writes other bytes.

import { readFile, rm, mkdir, writeFile, readdir } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync } from 'node:zlib';
import * as esbuild from 'esbuild';
import { gzipSync } from 'fflate';

/** The folder of `package.json`. */
export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');

/** What the build and the development server have in common. */
export const OPTIONS = {
  absWorkingDir: ROOT,
  bundle: true,
  charset: 'utf8',
  format: 'esm',
  jsx: 'automatic',
  target: ['es2022', 'chrome109', 'firefox115', 'safari16'],
  logLevel: 'warning',
};

const hashed = (name, text) => {
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 8);
  return name.replace(/(\.\w+)$/, `-${hash}$1`);
};

/** The licences of what ends up in the bundle: MIT and the like ask for their texts to travel along. */
async function licences(inputs) {
  const names = new Set();
  for (const path of inputs) {
    const match = /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path);
    if (match) names.add(match[1]);
  }
  const parts = [];
  for (const name of [...names].sort()) {
    const folder = join(ROOT, 'node_modules', name);
    const about = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
    const file = (await readdir(folder)).filter((entry) => /^licen[cs]e/i.test(entry)).sort()[0];
    const text = file ? await readFile(join(folder, file), 'utf8') : '';
    parts.push(`${about.name} ${about.version}: ${about.license}\n\n${text.trim()}\n`);
  }
  return parts.join(`\n${'-'.repeat(80)}\n\n`);
}

/** The page itself. */
export function html({ boot, icon, script, style, preload }) {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="same-origin">
<title>Milkrun</title>
<link rel="icon" href="${icon}" type="image/svg+xml">
<script src="${boot}"></script>
<link rel="stylesheet" href="${style}">
${preload.map((path) => `<link rel="modulepreload" href="${path}">\n`).join('')}<script type="module" src="${script}"></script>
</head>
<body>
<div id="root"></div>
<noscript>Milkrun's console needs JavaScript. Milkrun 的控制台需要 JavaScript。</noscript>
</body>
</html>
`;
}

async function build() {
  const dist = join(ROOT, 'dist');
  const result = await esbuild.build({
    ...OPTIONS,
    entryPoints: ['src/main.tsx'],
    outdir: 'dist/assets',
    entryNames: '[name]-[hash]',
    chunkNames: 'part-[hash]',
    assetNames: '[name]-[hash]',
    splitting: true,
    minify: true,
    legalComments: 'none',
    metafile: true,
    write: false,
    define: { 'process.env.NODE_ENV': '"production"' },
  });

  const files = new Map();
  for (const file of result.outputFiles) files.set(`assets/${file.path.split('/assets/')[1]}`, file.contents);
  const inputs = new Set();
  let script = '';
  let style = '';
  let preload = [];
  for (const [path, output] of Object.entries(result.metafile.outputs)) {
    for (const input of Object.keys(output.inputs)) inputs.add(input);
    if (output.entryPoint !== 'src/main.tsx') continue;
    script = path.replace('dist/', '');
    style = output.cssBundle.replace('dist/', '');
    preload = output.imports.filter((part) => part.kind === 'import-statement').map((part) => part.path.replace('dist/', ''));
  }
  const boot = await readFile(join(ROOT, 'public/boot.js'));
  const icon = await readFile(join(ROOT, 'public/favicon.svg'));
  const bootPath = `assets/${hashed('boot.js', boot)}`;
  const iconPath = `assets/${hashed('favicon.svg', icon)}`;
  files.set(bootPath, boot);
  files.set(iconPath, icon);
  files.set('licenses.txt', Buffer.from(await licences(inputs)));
  const page = html({
    boot: `/${bootPath}`,
    icon: `/${iconPath}`,
    script: `/${script}`,
    style: `/${style}`,
    preload: preload.map((path) => `/${path}`),
  });
  files.set('index.html', Buffer.from(page));

  await rm(dist, { recursive: true, force: true });
  await mkdir(join(dist, 'assets'), { recursive: true });
  const sum = { raw: 0, gzip: 0, brotli: 0 };
  for (const [path, contents] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const packed = gzipSync(contents, { level: 9, mtime: 0 });
    await writeFile(join(dist, `${path}.gz`), packed);
    const sizes = {
      raw: contents.length,
      gzip: packed.length,
      brotli: brotliCompressSync(contents).length,
    };
    for (const key of Object.keys(sum)) sum[key] += sizes[key];
    const at = (n) => String(n).padStart(8);
    console.log(`${at(sizes.raw)} ${at(sizes.gzip)} ${at(sizes.brotli)}  ${path}`);
  }
  console.log(`bytes in all: ${sum.raw} raw, ${sum.gzip} gzip, ${sum.brotli} brotli`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await build();
