import type { StoryDocument, StoryRun } from '../schema/story.js';
import { decimal, NULL } from './display.js';
import { columns } from './measure.js';
import { sanitize } from './sanitize.js';
import { runContent } from './story-content.js';
import { DEEPER, fact, INDENT, listed, named, type Pen } from './story-lines.js';
import { duration, grouped, tokens } from './units.js';
import { trimRight, widest } from './wrap.js';

/** A replay run below its title. */
export function runLines(run: StoryRun, showContent: boolean, pen: Pen): string[] {
  const { documents, context_tokens, duration_ms } = run;
  const took = [
    duration_ms === null ? null : duration(duration_ms),
    tokens(run),
    context_tokens === null ? null : `${grouped(context_tokens)} tokens of context`,
  ];
  return [
    `${INDENT}${sanitize(run.file)}:${run.line}`,
    ...listed('task', [run.task_id, named('kind', run.kind)], pen),
    ...listed('model', [run.model, run.provider], pen),
    ...listed('took', took, pen),
    ...listed('error', [run.error], pen),
    ...fact('documents', found(run), pen),
    ...documentLines(documents ?? [], pen),
    ...(showContent ? runContent(run, pen) : []),
  ];
}

function found({ documents, best_score }: StoryRun): string {
  if (documents === null) return 'not recorded';
  if (documents.length === 0) return 'none found';
  return `${documents.length}, ${best_score === null ? 'no score recorded' : `best score ${decimal(best_score)}`}`;
}

/** Rank, score, id and source in columns; where that is too wide, the source on a line of its own. */
function documentLines(documents: readonly StoryDocument[], { width }: Pen): string[] {
  const rows = documents.map(({ id, source, score, rank }) => ({
    rank: rank === null ? NULL : `#${rank}`,
    score: score === null ? NULL : decimal(score),
    id: id === null ? NULL : sanitize(id),
    source: sanitize(source ?? ''),
  }));
  const [ranks, scores, ids, sources] = (['rank', 'score', 'id', 'source'] as const).map((key) =>
    widest(rows.map((row) => row[key])),
  ) as [number, number, number, number];
  const before = DEEPER.length + ranks + 2 + scores + 2;
  const fits = width === null || before + ids + 2 + sources <= width;
  return rows.flatMap(({ rank, score, id, source }) => {
    const start = `${DEEPER}${padded(rank, ranks)}  ${padded(score, scores)}  `;
    if (fits) return [trimRight(`${start}${padded(id, ids)}  ${source}`)];
    return [start + id, ...(source === '' ? [] : [' '.repeat(before) + source])];
  });
}

function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(width - columns(text), 0));
}
