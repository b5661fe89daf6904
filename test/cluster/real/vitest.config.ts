/** Tests that ask a real cluster: one file after the other, and what ends it last. */
import path from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const LAST = 'killed.real.ts';

class KilledLast extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) =>
      `${path.basename(moduleId) === LAST ? 1 : 0} ${moduleId}`;
    return files.toSorted((one, other) => (place(one) < place(other) ? -1 : 1));
  }
}

export default defineConfig({
  root: path.resolve(import.meta.dirname, '../../..'),
  test: {
    include: ['test/cluster/real/*.real.ts'],
    setupFiles: ['./test/support/set-up.ts'],
    reporters: ['verbose'],
    hideSkippedTests: true,
    testTimeout: 600_000,
    hookTimeout: 600_000,
    pool: 'forks',
    fileParallelism: false,
    sequence: { sequencer: KilledLast },
  },
});
