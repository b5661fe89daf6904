import { existsSync } from 'node:fs';
import path from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * What takes longest, longest first. A fresh clone knows no durations yet, and a long file that begins last is waited
 * for alone.
 */
const LONG = [
  'store/model',
  'cli/acks',
  'cli/query',
  'cli/output',
  'cli/show',
  'bench',
  'cli/streams',
  'cli/memory',
  'cli/screens',
  'store/first-load',
  'store/damage',
  'query/portable',
  'cli/alarm',
  'log/process-end',
  'cli/acks-kept',
  'cli/help',
  'cli/query-streams',
  'cli/start',
  'cli/while-reading',
  'cli/cases',
  'store/locks',
  'store/many-syncs',
  'store/full-disk',
  'cli/formats',
  'cli/terminal',
  'lake/questions',
  'scan/parts',
  'package',
  'readme',
  'docs/writers',
  'lake/narrow',
  'lake/fates',
  'lake/oracle',
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
