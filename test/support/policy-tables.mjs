import { fillGenerated } from './field-tables.mjs';

/** The parts of docs/CHECK.md that are made from src/schema/policy.ts. Pure. */
export function withPolicyTables(document, { SETTINGS, ENTRIES }) {
  const entries = (kind) =>
    table(
      ['key', 'value', 'meaning'],
      ENTRIES[kind].map(({ key, example, required, note }) => [
        code(key),
        code(example),
        `${required ? 'Always there. ' : ''}${note}`,
      ]),
    );
  return fillGenerated(document, {
    settings: table(
      ['key', 'value', 'option', 'variable', 'default', 'weaker'],
      SETTINGS.map(({ key, example, flag, env, usual, weaker }) => [
        ...[code(key), code(example), flag === null ? 'of each command' : code(flag), code(env), usual],
        weaker ?? '',
      ]),
    ),
    notes: SETTINGS.map(({ key, note }) => `- \`${key}\`: ${note}`).join('\n'),
    gates: entries('gates'),
    compare: entries('compare'),
    drift: entries('drift'),
  });
}

const code = (text) => `\`${text}\``;

function table(head, rows) {
  const line = (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
