const SIZES = ['kB', 'MB', 'GB', 'TB', 'PB'];

/** 1234567 → `1.2 MB`; decimal units, as disks and `ls --si` have them. */
export function bytes(count: number): string {
  if (count < 1000) return `${count} B`;
  const power = Math.min(Math.floor(Math.log10(count) / 3), SIZES.length);
  const value = count / 1000 ** power;
  if (value >= 999.5 && power < SIZES.length) return `1.0 ${SIZES[power]}`;
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} ${SIZES[power - 1]}`;
}

/** Seconds → `42 s ago`, `3 h ago`; below zero `5 min in the future`. */
export function age(seconds: number): string {
  return seconds < 0 ? `${span(-seconds)} in the future` : `${span(seconds)} ago`;
}

/** `1 line`, `2 lines`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Milliseconds → `812 ms`, `4.2 s`, `3 min 5 s`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${grouped(Math.floor(seconds / 3600))} h ${Math.floor((seconds % 3600) / 60)} min`;
}

/** 1204 → `1,204`. */
export function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

function span(seconds: number): string {
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** `1,204 → 96 tokens`, `?` for the half that is not known; '' where neither is. */
export function tokens(counted: {
  readonly input_tokens: number | null;
  readonly output_tokens: number | null;
}): string {
  const { input_tokens, output_tokens } = counted;
  if (input_tokens === null && output_tokens === null) return '';
  const shown = (count: number | null) => (count === null ? '?' : grouped(count));
  return `${shown(input_tokens)} → ${shown(output_tokens)} tokens`;
}
