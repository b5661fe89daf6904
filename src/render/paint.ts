import { Chalk } from 'chalk';
import type { Style } from './report.js';

type Brush = (text: string) => string;

export interface Paint {
  readonly good: Brush;
  readonly bad: Brush;
  readonly doubtful: Brush;
  readonly strong: Brush;
  readonly faint: Brush;
  readonly added: Brush;
  readonly removed: Brush;
}

/** An explicit level: the caller has read NO_COLOR, FORCE_COLOR and TERM, chalk's own guess must not override it. */
export function paintFor(style: Style): Paint {
  const chalk = new Chalk({ level: style.color ? 1 : 0 });
  return {
    good: (text) => chalk.green.bold(text),
    bad: (text) => chalk.red.bold(text),
    doubtful: (text) => chalk.yellow.bold(text),
    strong: (text) => chalk.bold(text),
    faint: (text) => chalk.dim(text),
    added: (text) => chalk.green(text),
    removed: (text) => chalk.red(text),
  };
}
