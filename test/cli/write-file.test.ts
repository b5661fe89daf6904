/** How a file is written, as the system sees it. */
import { readFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { replaceFile } from '../../src/commands/write-file.js';
import { newFolder, root } from '../support/cli.js';

describe('a text', () => {
  it('is written as one, not letter by letter: a page took 117,144 calls', async () => {
    const file = await open(path.join(root, 'package.json'));
    const write = vi.spyOn(Object.getPrototypeOf(file) as FileHandle, 'write');
    await file.close();
    const target = path.join(newFolder(), 'page.html');
    const text = 'wäre 🙂\n'.repeat(1_000);
    await replaceFile(target, text);
    expect(write).toHaveBeenCalledTimes(1);
    expect(readFileSync(target, 'utf8')).toBe(text);
    write.mockRestore();
  });
});
