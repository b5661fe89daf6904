import { existsSync } from 'node:fs';
import path from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * What takes longest, longest first. A fresh clone knows no durations yet, and a long file that begins last is waited
 * for alone.
 */
export const LONG = [
  'store/model',
  'cluster/cluster',
  'folder/killed',
  'cli/screens',
  'cli/acks',
  'cli/query',
  'folder/untold',
  'cli/memory',
  'cli/watch',
  'bench',
  'cli/output',
  'log/process-end',
  'cli/compare',
  'cli/streams',
  'cli/alarm',
  'store/first-load',
  'cli/check',
  'cli/acks-kept',
  'cli/help',
  'store/locks',
  'cli/start',
  'lake/oracle',
  'cli/show',
  'cluster/fleet',
  'store/untold',
  'store/damage',
  'cli/terminal',
  'cli/while-reading',
  'package',
  'cli/drift',
  'docs/writers',
  'cli/cases',
  'cli/query-streams',
  'readme',
  'store/many-syncs',
  'store/full-disk',
  'oracle/oracle',
  'query/portable',
  'cli/roster',
  'validatord/process',
  'scan/parts',
  'lake/narrow',
  'gate/end-to-end',
  'cli/check-parts',
  'report/page',
  'store/refusals',
  'cli/outcomes',
  'cli/completion',
  'query/decisions',
  'lake/fates',
  'cli/queries',
  'lake/questions',
  'log/processes',
  'cli/formats',
  'cli/canary',
  'gate/decisions',
  'cli/retries',
  'validatord/smoke',
];

const tests = path.resolve(import.meta.dirname, '..');

const place = ({ moduleId, project }: TestSpecification) => {
  const at = LONG.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`));
  if (at >= 0) return at;
  // One after the other, for a process is handed on to the next file alone.
  return project.config.isolate ? LONG.length : LONG.length + 1;
};

/** Long files first, those that share processes last; the others as vitest has it. */
export class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const gone = LONG.filter((name) => !existsSync(path.join(tests, `${name}.test.ts`)));
    if (gone.length > 0) throw new Error(`test/support/sequencer.ts names what is gone: ${gone.join(', ')}`);
    const sorted = await super.sort(files);
    return sorted.toSorted((one, other) => place(one) - place(other));
  }
}
