import { columns } from './measure.js';

/** Lines that always show, then a list of which as many items show as there is room for. */
export interface Section {
  readonly lines: readonly string[];
  readonly count: number;
  readonly item: (index: number) => readonly string[];
  /** The line that stands for the items left out. */
  readonly more: (left: number) => string;
}

/** Lines of all sections within `budget` rows of the screen; each list gets one item before any gets a second. */
export function squeeze(sections: readonly Section[], budget: number, width: number | null): string[] {
  const lists = sections.map((section) => ({ section, shown: [] as (readonly string[])[] }));
  const draw = () =>
    lists.flatMap(({ section, shown }) => {
      const left = section.count - shown.length;
      return [...section.lines, ...shown.flat(), ...(left > 0 ? [section.more(left)] : [])];
    });
  const grow = ({ section, shown }: (typeof lists)[number]): boolean => {
    if (shown.length === section.count) return false;
    shown.push(section.item(shown.length));
    if (rows(draw(), width) <= budget) return true;
    shown.pop();
    return false;
  };
  for (const list of lists) grow(list);
  for (const list of lists) while (grow(list));
  return draw();
}

function rows(lines: readonly string[], width: number | null): number {
  if (width === null) return lines.length;
  return lines.reduce((total, line) => total + Math.max(1, Math.ceil(columns(unpainted(line)) / width)), 0);
}

const unpainted = (line: string) => line.replace(/\x1b\[[0-9;]*m/g, '');
