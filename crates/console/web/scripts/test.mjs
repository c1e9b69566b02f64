// Runs the unit tests: bundles `test/*.test.ts` into a folder of its own and hands them to Node's runner.

import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as esbuild from 'esbuild';
import { OPTIONS, ROOT } from './build.mjs';

const tests = (await readdir(join(ROOT, 'test'))).filter((name) => /\.test\.tsx?$/.test(name)).sort();
const outdir = await mkdtemp(join(tmpdir(), 'milkrun-web-'));
try {
  await esbuild.build({
    ...OPTIONS,
    entryPoints: tests.map((name) => `test/${name}`),
    outdir,
    outExtension: { '.js': '.mjs' },
    platform: 'node',
    target: 'node18',
    sourcemap: 'inline',
    banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
  });
  const built = tests.map((name) => join(outdir, name.replace(/\.tsx?$/, '.mjs')));
  const { status } = spawnSync(process.execPath, ['--enable-source-maps', '--test', ...built], { stdio: 'inherit' });
  process.exitCode = status ?? 1;
} finally {
  await rm(outdir, { recursive: true, force: true });
}
