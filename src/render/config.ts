/** Every setting with its value and who says so, for people. */
import type { ConfigEntry, ConfigSetting } from '../schema/config.js';
import type { Column } from '../schema/result.js';
import type { Style } from './report.js';
import { tableOf } from './table.js';

const SETTING_COLUMNS: readonly Column[] = [
  { name: 'setting', type: 'text' },
  { name: 'value', type: 'text' },
  { name: 'origin', type: 'text', label: 'who says so' },
  { name: 'weaker', type: 'text', label: 'weaker than' },
];

const ENTRY_COLUMNS: readonly Column[] = [
  { name: 'entry', type: 'text' },
  { name: 'level', type: 'text' },
  { name: 'undecided', type: 'text' },
  { name: 'what', type: 'text' },
  { name: 'origin', type: 'text', label: 'who says so' },
];

export function renderConfig(
  settings: readonly ConfigSetting[],
  entries: readonly ConfigEntry[],
  style: Style,
): string {
  const rows = settings.map((one) => [
    one.key,
    shown(one),
    one.where ?? 'default',
    one.weaker ? one.default : '',
  ]);
  const settled = tableOf({ columns: SETTING_COLUMNS, rows }, style);
  if (entries.length === 0) return settled;
  const list = entries.map(({ kind, name, level, undecided, values, where }) => {
    const what = Object.entries(values).map(
      ([key, value]) => `${key} ${typeof value === 'object' ? JSON.stringify(value) : value}`,
    );
    return [`${kind}.${name}`, level, undecided, what.join(', '), where];
  });
  return `${settled}\n${tableOf({ columns: ENTRY_COLUMNS, rows: list }, style)}`;
}

function shown({ value, default: usual }: ConfigSetting): string {
  if (value === null) return usual;
  const text = [value].flat().join(', ');
  return text === '' ? '""' : text;
}
