/** What tokens cost: a price list in the public format of LiteLLM. */
import { createHash } from 'node:crypto';
import { LakelogError, messageOf } from '../errors.js';
import { kernelPath } from '../kernel-path.js';
import type { Finding, PricesReceipt, Verdict } from '../schema/result.js';
import { readRegularFile } from './regular-file.js';

/** Money per token. */
export interface Price {
  readonly input: number;
  readonly output: number;
  /** It is another from some number of tokens on, which sums of tokens cannot tell. */
  readonly hasTiers: boolean;
}

/** A price list, and what it was asked. */
export interface Prices {
  /** Null for a model without a price: its cost is unknown, and never nothing. */
  priceOf(model: string): Price | null;
  asked(): PricesReceipt;
}

/**
 * Reads `model_prices_and_context_window.json`: an object of models, each with `input_cost_per_token` and
 * `output_cost_per_token`. A model is looked up by its whole name, as the records have it.
 * https://github.com/BerriAI/litellm/blob/main/model_prices_and_context_window.json
 * @throws LakelogError (exit 2) for what cannot be read or is no such list.
 */
export function readPrices(file: string, cwd: string): Prices {
  const bytes = bytesOf(file, cwd);
  const entries = entriesOf(bytes, file);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const found = new Map<string, Price | null>();
  const those = (which: (price: Price | null) => boolean) =>
    [...found]
      .filter(([, price]) => which(price))
      .map(([model]) => model)
      .sort();
  return {
    priceOf(model) {
      const price = found.get(model) ?? priceIn(Object.hasOwn(entries, model) ? entries[model] : null);
      found.set(model, price);
      return price;
    },
    asked: () => ({
      ...{ file, sha256 },
      priced: those((price) => price !== null),
      unknown: those((price) => price === null),
      tiered: those((price) => price?.hasTiers === true),
    }),
  };
}

const NEXT =
  'name a price list in the format of LiteLLM: {"model": {"input_cost_per_token": …, "output_cost_per_token": …}}';

function bytesOf(file: string, cwd: string): Buffer {
  try {
    return readRegularFile(kernelPath(cwd, file));
  } catch (error) {
    throw new LakelogError(`the prices cannot be read: ${messageOf(error)}`, {
      where: file,
      next: 'correct --prices',
    });
  }
}

function entriesOf(bytes: Buffer, file: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8').replace(/^\ufeff/, ''));
  } catch (error) {
    throw new LakelogError(`the prices are no JSON: ${messageOf(error)}`, { where: file, next: NEXT });
  }
  const isList =
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).some((entry) => priceIn(entry) !== null);
  if (isList) return value as Record<string, unknown>;
  throw new LakelogError('the prices name no model with a price per token', { where: file, next: NEXT });
}

function priceIn(entry: unknown): Price | null {
  if (typeof entry !== 'object' || entry === null) return null;
  const { input_cost_per_token: input, output_cost_per_token: output } = entry as Record<string, unknown>;
  const isPrice = (value: unknown): value is number =>
    typeof value === 'number' && Number.isFinite(value) && value >= 0;
  if (!isPrice(input) || !isPrice(output)) return null;
  return {
    input,
    output,
    hasTiers: Object.keys(entry).some((key) => /^(in|out)put_cost_per_token_above_/.test(key)),
  };
}

/** What a reader of money should know of its prices. */
export function priceNotices({ file, unknown, tiered }: PricesReceipt): Finding[] {
  const some = (models: readonly string[]) =>
    models.slice(0, 5).join(', ') + (models.length > 5 ? `, … (${models.length})` : '');
  return [
    ...(unknown.length === 0
      ? []
      : [
          {
            code: 'no_price',
            message: `the prices have none for ${some(unknown)}: what it costs is not known`,
            where: file,
            next: 'add "input_cost_per_token" and "output_cost_per_token" of that very name',
          },
        ]),
    ...(tiered.length === 0
      ? []
      : [
          {
            code: 'tiered_price',
            message: `long prompts have another price with ${some(tiered)}, and the price of short ones was taken`,
            where: file,
          },
        ]),
  ];
}

export const withNotices = (verdict: Verdict, notices: readonly Finding[]): Verdict => ({
  ...verdict,
  notices: [...verdict.notices, ...notices],
});
