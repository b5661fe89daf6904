import type { FileAccount } from '../schema/result.js';
import { wrap } from './wrap.js';

/** Promise 2 in words: `612 lines = 610 loaded + 0 rejected + …`. */
export function equation(account: Omit<FileAccount, 'file'>, width: number | null): string[] {
  const { lines, loaded, rejected, duplicates, blank, pending } = account;
  const terms = [
    term(loaded, 'loaded'),
    term(rejected, 'rejected'),
    term(duplicates, 'duplicates'),
    term(blank, 'blank'),
    term(pending, 'pending'),
  ];
  const text = `${term(lines, lines === 1 ? 'line' : 'lines')} = ${terms.join(' + ')}`;
  return (width === null ? [text] : wrap(text, width)).map((line) => line.replaceAll('\u00a0', ' '));
}

// A line break may come between terms, not inside one.
function term(count: number, noun: string): string {
  return `${count}\u00a0${noun}`;
}
