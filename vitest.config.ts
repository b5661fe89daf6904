import { defineConfig } from 'vitest/config';
import { memoryFolder } from './test/support/memory-folder.js';
import { needOwnProcess } from './test/support/own-process.js';
import { LongFirst } from './test/support/sequencer.js';

const nightly = process.env.LAKELOG_NIGHTLY === '1';
// What a night writes is too much for it.
const scratch = nightly ? null : memoryFolder();
const all = ['test/**/*.test.ts'];
const own = nightly ? all : needOwnProcess();

export default defineConfig({
  test: {
    setupFiles: ['./test/support/set-up.ts'],
    projects: [
      { extends: true, test: { name: 'own process', include: own } },
      ...(nightly
        ? []
        : [{ extends: true, test: { name: 'shared', include: all, exclude: own, isolate: false } } as const]),
    ],
    testTimeout: nightly ? 7_200_000 : 60_000,
    hookTimeout: 120_000,
    // The native DuckDB addon is not safe to unload with a worker thread, so every file gets a process.
    pool: 'forks',
    env: scratch === null ? {} : { TMPDIR: scratch },
    // Runs of the whole program in one process leave WebAssembly memory behind, and V8 answers with a marking that is
    // spread over threads and steps each time: a third of the CPU of such tests.
    execArgv: ['--single-threaded-gc', '--no-incremental-marking'],
    // Two cores: a third of what a file takes it waits, for processes, clocks and disks, and another one fills that in.
    maxWorkers: 3,
    // What a file runs side by side waits, for processes and clocks: more at once would only be late.
    maxConcurrency: 3,
    sequence: { sequencer: LongFirst },
  },
});
