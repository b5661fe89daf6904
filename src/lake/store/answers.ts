/** What a gate found when it was printed last, so that one alarm is one mail. */
import type { Database } from '../duckdb/connection.js';
import { quote } from '../duckdb/sql.js';
import { attach, detach, type LakeFile } from './open.js';
import { asOwnFiles } from './own-files.js';

/** Whether the same was found the last time. @param question names it with all that was asked. */
export async function isKnownAnswer(db: Database, question: string, findings: string): Promise<boolean> {
  const { cells } = await db.rows(
    `SELECT findings FROM main.lake_answers WHERE question = ${quote(question)}`,
  );
  return cells[0]?.[0] === findings;
}

/** Nothing else may be done with the lake afterwards but close it. */
export async function keepAnswer(
  db: Database,
  file: LakeFile,
  question: string,
  findings: string,
): Promise<void> {
  // What has no line end yet stands in a transaction that must not be kept.
  await db.run('ROLLBACK').catch(() => {});
  await detach(db);
  await attach(db, file, 'write');
  const keep = () =>
    db.run(
      `BEGIN; DELETE FROM main.lake_answers WHERE question = ${quote(question)};
     INSERT INTO main.lake_answers VALUES (${quote(question)}, ${quote(findings)}); COMMIT`,
    );
  await asOwnFiles(keep);
}
