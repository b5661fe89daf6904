/** What was named and could not be read, or held nothing. */
import type { InputProblem } from '../schema/result.js';
import type { Evidence } from './evidence.js';
import type { Rule } from './rule.js';

/** A log that was just rotated is empty while others hold the records. */
function isExcused({ inputs, calls, gate }: Evidence, { path, problem }: InputProblem): boolean {
  return (
    problem === 'no_records' &&
    inputs.mayBeEmpty.has(path) &&
    // What a lake read before under this name may have had records.
    inputs.files.some(({ file, lines, blank, pending }) => file === path && lines === blank + pending) &&
    inputs.files.some(({ loaded }) => loaded > 0) &&
    // A gate rests on calls: replay runs beside an empty log do not show that the service still logs.
    (gate === null || calls.kinds.length > 0)
  );
}

/** What else may be done about what can be explained. */
export const orSettle = (remedy: string, command: string) =>
  `${remedy}; what is explained is settled by: ${command}`;

function problemRule(
  code: string,
  kind: InputProblem['problem'],
  message: (problem: InputProblem) => string,
  next: string | ((problem: InputProblem) => string),
): Rule {
  const remedy = (problem: InputProblem) => (typeof next === 'string' ? next : next(problem));
  return {
    code,
    weight: 'cannot_vouch',
    about: 'inputs',
    check: (e) =>
      e.inputs.problems
        .filter((problem) => problem.problem === kind && !isExcused(e, problem))
        .map((problem) => ({
          message: message(problem),
          where: problem.path,
          next: problem.fingerprint
            ? orSettle(remedy(problem), e.commands.settle(problem.path))
            : remedy(problem),
        })),
  };
}

export const missingInput = problemRule(
  'missing_input',
  'missing',
  ({ detail }) => `the input is missing: ${detail}`,
  ({ next }) => next ?? 'correct the path, or find out why nothing was written there',
);

export const unreadableInput = problemRule(
  'unreadable_input',
  'unreadable',
  ({ detail }) => `the input cannot be read: ${detail}`,
  ({ next }) => next ?? 'make it readable for this user, or replace the damaged copy',
);

/** What was read of it before is in the lake, and is not what stands there now. */
export const changedInput = problemRule(
  'changed_input',
  'changed',
  ({ detail }) => `the input was changed where it had been read: ${detail}`,
  'find out who changed it',
);

/** A part of a folder lake that is missing, is another, or contradicts its receipt. */
export const damagedLake = problemRule(
  'damaged_lake',
  'lake',
  ({ detail }) => detail,
  ({ next }) => next ?? 'look after the lake: lakelog lake verify',
);

export const noLogs = problemRule(
  'no_logs',
  'no_logs',
  ({ detail }) => detail,
  'name the folder that the service logs to',
);

export const noRecords = problemRule(
  'no_records',
  'no_records',
  ({ detail }) => `the input holds no record: ${detail}`,
  'name the file that the service logs to, or find out why it is empty',
);

/** An empty join would look like an answer. */
export const noReplayRuns: Rule = {
  code: 'no_replay_runs',
  weight: 'cannot_vouch',
  about: 'inputs',
  check: ({ inputs }) =>
    inputs.lacksReplayRuns
      ? [
          {
            message: 'no replay run was loaded, so there is nothing to compare the calls with',
            next: 'name the log of the replay tool (--replay-runs replay_runs.jsonl), or find out why it is empty',
          },
        ]
      : [],
};

export const justRotated: Rule = {
  code: 'just_rotated',
  weight: 'notice',
  about: 'inputs',
  check: (e) =>
    e.inputs.problems
      .filter((problem) => isExcused(e, problem))
      .map(({ path }) => ({
        message: 'the file holds no finished line; others hold records (just rotated?)',
        where: path,
      })),
};

export const pending: Rule = {
  code: 'pending',
  weight: 'notice',
  about: 'inputs',
  check: ({ inputs }) =>
    inputs.files
      .filter((file) => file.pending > 0)
      .map(({ file }) => ({
        message:
          'the last line is unfinished and the file was just written to: it belongs to the next run (where nothing writes any more: --pending-grace 0)',
        where: file,
      })),
};

export const inputNotices: Rule = {
  code: 'inputs',
  weight: 'notice',
  about: 'inputs',
  check: ({ inputs }) => inputs.notices.map((message) => ({ message })),
};
