/** What receipts tell of entries of lakelog.toml: a pull request can edit them. */
import type { PolicyEntry } from '../query/policy.js';
import { entryOf } from '../query/policy-params.js';
import type { Query } from '../query/question.js';
import { GATE_SETTINGS, type Settings } from '../query/settings.js';
import type { SettingKey } from '../schema/policy.js';
import type { WeakerValue } from '../schema/result.js';

/** What a decision rests on besides its numbers. */
const DECISION_SETTINGS: readonly SettingKey[] = [
  ...GATE_SETTINGS.filter((key) => key === 'min_judged' || key === 'max_rejects'),
  'alpha',
  'margin',
];

/** Of one gate that is asked alone, where levels say nothing. */
export function weakerOf(query: Query, settings: Settings): readonly WeakerValue[] {
  const entry = entryOf(settings.entries, query.name);
  return [...settings.weaker(GATE_SETTINGS), ...(entry === undefined ? [] : paramsOf(entry, query))];
}

/** What a decision that is asked alone has in the place of settings. */
export interface Alone {
  /** Where nobody says another. */
  readonly alpha: number;
  /** Of an option, which goes before the setting; null without one. */
  readonly margin: { readonly value: number; readonly flag: string } | null;
}

/** Of one comparison or drift that is asked alone. */
export function weakerDecision(settings: Settings, { alpha, margin }: Alone): WeakerValue[] {
  const told = settings.weaker(DECISION_SETTINGS.filter((key) => key !== 'margin' || margin === null));
  const own = settings.get('alpha') ?? alpha;
  return [
    ...told.filter(({ name }) => name !== 'alpha'),
    ...(own > alpha
      ? [{ name: 'alpha', value: own, instead_of: short(alpha), from: settings.originOf('alpha').where }]
      : []),
    ...(margin !== null && margin.value > 0.1
      ? [{ name: 'margin', value: margin.value, instead_of: '.10', from: margin.flag }]
      : []),
  ];
}

const short = (share: number) => String(share).replace(/^0/, '');

/** What is judged under the name of an entry. */
interface Judged {
  readonly name: string;
  readonly question?: { readonly query: Query };
}

/** Of all entries that are judged. */
export function weakerEntries(planned: readonly Judged[], settings: Settings): WeakerValue[] {
  return settings.entries.flatMap((entry) => {
    const one = planned.find(({ name }) => name === entry.name);
    if (one === undefined) return [];
    return [
      ...(['level', 'undecided'] as const).flatMap((key) =>
        entry[key] === 'warn' ? [weaker(entry, key, 'warn', 'fail')] : [],
      ),
      ...(one.question ? paramsOf(entry, one.question.query) : []),
      ...marginOf(entry, 'not_worse_than'),
      ...marginOf(entry, 'margin'),
    ];
  });
}

/** Nobody can tell which way of a parameter is the weaker one. */
function paramsOf(entry: PolicyEntry, query: Query): WeakerValue[] {
  return Object.entries(entry.params).flatMap(([name, value]) => {
    const usual = query.params.find((param) => param.name === name)?.default ?? '';
    const text = [value].flat().map(String).join(', ');
    return text === usual
      ? []
      : [{ ...weaker(entry, 'params', text, usual), name: `gates.${query.name}.params.${name}` }];
  });
}

function marginOf(entry: PolicyEntry, key: string): WeakerValue[] {
  const value = entry.values[key];
  return typeof value === 'number' && value > 0.1 ? [weaker(entry, key, value, '.10')] : [];
}

function weaker(entry: PolicyEntry, key: string, value: string | number, usual: string): WeakerValue {
  return { name: `${entry.kind}.${entry.name}.${key}`, value, instead_of: usual, from: entry.where(key) };
}
