import { fillGenerated } from './field-tables.mjs';

/** The parts of docs/QUESTIONS.md that are made from src/query/header-keys.ts. Pure. */
export function withQuestionTables(document, { HEADER_KEYS, PARAM_TYPES, COLUMN_TYPES, INTERVAL_FUNCTIONS }) {
  return fillGenerated(document, {
    keys: table(
      ['key', 'value', 'stands', 'meaning'],
      HEADER_KEYS.map(({ key, form, use, repeats, note }) => [
        `\`${key}\``,
        `\`${form}\``,
        `${USE[use]}${repeats ? ', repeatable' : ''}`,
        note,
      ]),
    ),
    params: table(
      ['type', 'option', 'columns of `params`'],
      PARAM_TYPES.map(({ form, option, columns }) => [`\`${form}\``, option, columns]),
    ),
    columns: table(
      ['type', 'in a table'],
      COLUMN_TYPES.map(({ type, shown }) => [`\`${type}\``, shown]),
    ),
    intervals: table(
      ['function', 'interval'],
      INTERVAL_FUNCTIONS.map(({ form, note }) => [`\`${form}\``, note]),
    ),
  });
}

const USE = {
  required: 'always',
  optional: 'where wanted',
  gate: 'in gates',
  'optional in gates': 'in gates, where wanted',
};

function table(head, rows) {
  const line = (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
