/** Of every test file, in a process of its own or not: the folders that it made are gone with it. */
import { afterAll } from 'vitest';
import { removeFolders } from './cli.js';

afterAll(removeFolders);
