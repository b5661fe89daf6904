/** Every setting as it holds, and who says so. */
import { type Io, styleOf } from '../io.js';
import type { Settings } from '../query/settings.js';
import { renderConfig } from '../render/index.js';
import type { ConfigEntry, ConfigSetting } from '../schema/config.js';
import { EXIT, type ExitCode } from '../schema/result.js';
import { version } from '../version.js';
import type { Context } from './command.js';

export async function config(flags: { readonly json?: true }, { settings, io }: Context): Promise<ExitCode> {
  const held = settings(flags);
  await print({ settings: settingsIn(held), entries: entriesIn(held) }, flags.json === true, io);
  return EXIT.clear;
}

function settingsIn(held: Settings): ConfigSetting[] {
  return held.all().map(({ row, value, origin, isWeaker }) => ({
    key: row.key,
    value: value === undefined || (Array.isArray(value) && value.length === 0) ? null : value,
    origin: origin.from,
    where: origin.from === 'default' ? null : origin.where,
    default: row.usual,
    weaker: isWeaker,
    note: row.note,
  }));
}

/** As they stand in lakelog.toml, and the two keys that they have by default. */
function entriesIn(held: Settings): ConfigEntry[] {
  return held.entries.map((entry) => {
    const { kind, name, level, undecided, values, params } = entry;
    const hasParams = Object.keys(params).length > 0;
    return {
      kind,
      name,
      level,
      undecided,
      values: { ...values, ...(hasParams && { params }) },
      where: entry.where(),
    };
  });
}

async function print(
  found: { readonly settings: readonly ConfigSetting[]; readonly entries: readonly ConfigEntry[] },
  asJson: boolean,
  io: Io,
): Promise<void> {
  const style = styleOf(io.stdout, io.env);
  await io.stdout.write(
    asJson
      ? `${JSON.stringify({ format: 'lakelog.config.v1', lakelog: version, ...found })}\n`
      : renderConfig(found.settings, found.entries, style),
  );
}
