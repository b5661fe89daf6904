import type { Io } from '../io.js';
import type { BoxProcess } from '../query/boxed.js';
import type { Catalogue } from '../query/catalogue.js';
import type { Settings } from '../query/settings.js';
import type { ExitCode } from '../schema/result.js';
import type { Argument, OptionGroup } from './options.js';

/** All that a command may reach besides its arguments. */
export interface Context {
  readonly catalogue: Catalogue;
  readonly packageRoot: string;
  /**
   * What holds with these options.
   * @throws LakelogError (exit 2) for a lakelog.toml that is not understood, or a value that is none.
   */
  readonly settings: (flags: object) => Settings;
  /** Where `query` runs its SQL. */
  readonly box: () => Promise<BoxProcess>;
  readonly io: Io;
}

/** A subcommand, as data. */
export interface Command {
  readonly name: string;
  /** Its line in the list of commands. */
  readonly summary: string;
  readonly description: string;
  /** What stands between the description and the options. */
  readonly notes?: { readonly heading: string; readonly items: readonly (readonly [string, string])[] };
  /** Whole command lines, two of them. */
  readonly examples: readonly string[];
  readonly args: readonly Argument[];
  /** Made for the command that is asked for only: all together have some 200. */
  readonly options: () => readonly OptionGroup[];
  readonly subcommands?: readonly Command[];
  /**
   * @param args one per declared argument, a list for the last one of many.
   * @param flags by the camelCase names of its options.
   */
  run(args: never, flags: never, context: Context): Promise<ExitCode>;
}
