import type { StoryAttempt, StoryCall, StoryRun } from '../schema/story.js';
import { type ChangedLine, changes, linesOf } from './changes.js';
import { prettyJson } from './pretty-json.js';
import { DEEPER, INDENT, type Pen, quoted } from './story-lines.js';

/** The prompt of a call, unless only its attempts have theirs. */
export function promptOf({ prompt, attempts }: StoryCall, pen: Pen): string[] {
  const elsewhere = attempts.some((attempt) => attempt.prompt != null);
  return prompt == null && elsewhere ? [] : content('prompt', promptText(prompt), INDENT, pen);
}

/** A text as it was written; the messages of a chat as JSON. */
function promptText(json: string | null | undefined): string | null {
  if (json == null) return null;
  return json.startsWith('"') ? (JSON.parse(json) as string) : (prettyJson(json) ?? json);
}

export function artifactOf({ artifact, final_verdict }: StoryCall, pen: Pen): string[] {
  if (artifact == null && final_verdict !== 'accepted') return [];
  const text = artifact == null ? null : (prettyJson(artifact) ?? artifact);
  return ['', ...content('artifact', text, INDENT, pen)];
}

/** Prompt and raw output of an attempt, and what it changed in the raw output before it. */
export function attemptContent(
  { prompt, raw }: StoryAttempt,
  before: readonly StoryAttempt[],
  call: StoryCall,
  pen: Pen,
): string[] {
  const earlier = before.findLast((attempt) => attempt.raw != null);
  const same = prompt === call.prompt ? "the call's" : sameAs(before.find((one) => one.prompt === prompt));
  const shown =
    same === null
      ? content('prompt', promptText(prompt) ?? '', DEEPER, pen)
      : [said('prompt', `the same as ${same}`, pen)];
  return [
    ...(prompt == null ? [] : shown),
    ...content('raw output', raw ?? null, DEEPER, pen),
    ...(raw == null || earlier?.raw == null
      ? []
      : changeLines(earlier.raw, raw, `what changed since attempt ${earlier.attempt_number}`, pen)),
  ];
}

export function runContent({ task, retrieval_query, output }: StoryRun, pen: Pen): string[] {
  return [
    ...(task == null ? [] : content('task', task, INDENT, pen)),
    ...(retrieval_query == null ? [] : content('retrieval query', retrieval_query, INDENT, pen)),
    ...content('output', output ?? null, INDENT, pen),
  ];
}

function sameAs(attempt: StoryAttempt | undefined): string | null {
  return attempt === undefined ? null : `in attempt ${attempt.attempt_number}`;
}

function changeLines(before: string, after: string, label: string, pen: Pen): string[] {
  const changed = changes(before, after);
  if (typeof changed === 'string') return [said(label, changed, pen)];
  return [`${DEEPER}${pen.paint.strong(label)}`, ...changed.flatMap((line) => changedLine(line, pen))];
}

const SIGNS = { added: '+ ', removed: '- ', same: '  ', skipped: '  ' } as const;

function changedLine({ mark, text }: ChangedLine, pen: Pen): string[] {
  const { added, removed, faint } = pen.paint;
  return quoted(text, DEEPER, pen, SIGNS[mark], { added, removed, same: undefined, skipped: faint }[mark]);
}

function content(label: string, text: string | null, indent: string, pen: Pen): string[] {
  const name = `${indent}${pen.paint.strong(label)}`;
  if (text === null) return [`${name}: not recorded`];
  if (text === '') return [`${name}: empty`];
  return [name, ...linesOf(text).flatMap((line) => quoted(line, indent, pen))];
}

function said(label: string, text: string, { paint }: Pen): string {
  return `${DEEPER}${paint.strong(label)}: ${text}`;
}
