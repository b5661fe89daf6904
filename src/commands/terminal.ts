import { type Io, styleOf } from '../io.js';
import { renderProgress } from '../render/progress.js';

const QUIET_MS = 700;
const EVERY_MS = 150;

/** Progress of a long load, on a terminal only, and gone without a trace when it ends. */
export function progressOn(io: Io): {
  report: ((done: number, total: number) => void) | undefined;
  end: () => Promise<void>;
} {
  if (!io.stderr.isTTY || io.env.TERM === 'dumb') return { report: undefined, end: async () => {} };
  const start = Date.now();
  let last = 0;
  let shown = false;
  return {
    report: (done, total) => {
      const now = Date.now();
      if (now - start < QUIET_MS || now - last < EVERY_MS) return;
      last = now;
      shown = true;
      void io.stderr.write(`\r\x1b[2K${renderProgress(done, total, styleOf(io.stderr, io.env))}`);
    },
    end: async () => {
      if (shown) await io.stderr.write('\r\x1b[2K');
    },
  };
}
