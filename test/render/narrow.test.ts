import { expect, test, vi } from 'vitest';

vi.mock('string-width', () => ({
  default: () => {
    throw new Error('it takes 25 ms to load, which is a tenth of a short run');
  },
}));

const { columns } = await import('../../src/render/measure.js');
const { lakelog } = await import('../support/program.js');

test('what lakelog itself writes is measured without string-width', async () => {
  expect(columns('100\u00a0lines – 64 % [55–72] … → ≤ ≥ ─│ “x” ‘y’ Müller × ·')).toBe(54);
  const path = await import('node:path');
  const { root } = await import('../support/cli.js');
  const cwd = path.join(root, 'fixtures');
  for (const args of [
    ['alarm', 'healthy'],
    ['alarm', 'alarm'],
    ['alarm', 'messy'],
    ['first-shot-rate', 'healthy'],
    ['corpus', 'healthy'],
  ]) {
    const screen = { columns: 80, write: () => {} };
    const ran = await lakelog(args, { cwd, screen });
    expect(ran.stdout + ran.stderr, args.join(' ')).not.toContain('takes 25 ms');
  }
});
