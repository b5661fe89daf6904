import { existsSync } from 'node:fs';
import path from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * What takes longest, longest first. A fresh clone knows no durations yet, and a long file that begins last is waited
 * for alone.
 */
const LONG = [
  'store/model',
  'cli/query',
  'cli/memory',
  'cli/acks',
  'query/portable',
  'cli/screens',
  'bench',
  'report/page',
  'cli/show',
  'cli/output',
  'cli/streams',
  'cli/query-streams',
  'cli/alarm',
  'log/process-end',
  'cli/acks-kept',
  'store/first-load',
  'cli/watch',
  'cli/check',
  'cli/start',
  'lake/oracle',
  'cli/compare',
  'query/decisions',
  'gate/end-to-end',
  'cli/canary',
  'cli/cases',
  'lake/questions',
  'store/locks',
  'lake/narrow',
  'cli/check-parts',
  'cli/help',
  'cli/terminal',
  'gate/decisions',
  'cli/formats',
  'docs/writers',
  'cli/drift',
  'readme',
  'log/append-file',
  'stats/drift-simulated',
  'package',
  'cli/while-reading',
  'cli/retries',
  'lake/fates',
  'cli/completion',
  'log/processes',
  'store/full-disk',
  'cli/queries',
  'oracle/oracle',
  'scan/parts',
  'validatord/process',
  'validatord/smoke',
];

const tests = path.resolve(import.meta.dirname, '..');

const place = ({ moduleId }: TestSpecification) => {
  const at = LONG.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`));
  return at < 0 ? LONG.length : at;
};

/** Long files first; the others as vitest has it. */
export class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const gone = LONG.filter((name) => !existsSync(path.join(tests, `${name}.test.ts`)));
    if (gone.length > 0) throw new Error(`test/support/sequencer.ts names what is gone: ${gone.join(', ')}`);
    const sorted = await super.sort(files);
    return sorted.toSorted((one, other) => place(one) - place(other));
  }
}
