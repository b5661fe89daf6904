import path from 'node:path';
import type { Io } from './io.js';
import type { BoxProcess } from './query/boxed.js';

/** What takes longest to start is started before the arguments are parsed, as far as a glance at them tells. */
export interface HeadStart {
  /** Where `query` runs its SQL. */
  box(): Promise<BoxProcess>;
  /** Ends what nobody used. */
  end(): Promise<void>;
}

/** `query` reads logs in its box. */
const READ_NO_LOGS = ['query', 'queries', 'schema', 'config', 'help'];

export async function headStart(argv: readonly string[], packageRoot: string, io: Io): Promise<HeadStart> {
  let opened: Promise<BoxProcess> | undefined;
  const box = () => {
    opened ??= import('./query/boxed.js').then(({ openBox }) =>
      openBox(path.join(packageRoot, 'dist/box.js'), io, argv.includes('-')),
    );
    return opened;
  };
  const [command = '-'] = argv;
  const asksForHelp = argv.includes('--help') || argv.includes('-h');
  // Whoever needs what could not be started is told so then.
  if (command === 'query' && !asksForHelp) box().catch(() => {});
  if (!command.startsWith('-') && !READ_NO_LOGS.includes(command) && !asksForHelp) {
    await import('./lake/duckdb/connection.js').then(
      ({ startEngine }) => startEngine(),
      () => {},
    );
  }
  return {
    box,
    end: async () => {
      await opened?.then((box) => box.end()).catch(() => {});
    },
  };
}
