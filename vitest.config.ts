import { defineConfig } from 'vitest/config';
import { memoryFolder } from './test/support/memory-folder.js';
import { LongFirst } from './test/support/sequencer.js';

const nightly = process.env.LAKELOG_NIGHTLY === '1';
// What a night writes is too much for it.
const scratch = nightly ? null : memoryFolder();

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
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
