import type { JsonSchema } from '../../src/schema/json-schema.js';

/** They say nothing about validity. */
const ANNOTATIONS = new Set(['$schema', '$id', '$defs', 'title', 'description', '$comment']);

type Check = (value: unknown, schema: JsonSchema) => boolean;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const TYPES: Record<string, (value: unknown) => boolean> = {
  null: (value) => value === null,
  boolean: (value) => typeof value === 'boolean',
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  integer: (value) => Number.isInteger(value),
  array: Array.isArray,
  object: isObject,
};

const KEYWORDS: Record<string, Check> = {
  type: (value, { type }) => [type].flat().some((name) => TYPES[name as string]!(value)),
  const: (value, schema) => value === schema.const,
  enum: (value, schema) => (schema.enum as unknown[]).includes(value),
  minLength: (value, schema) => typeof value !== 'string' || value.length >= (schema.minLength as number),
  pattern: (value, { pattern }) =>
    typeof value !== 'string' || new RegExp(pattern as string, 'u').test(value),
  minimum: (value, { minimum }) => typeof value !== 'number' || value >= (minimum as number),
  maximum: (value, { maximum }) => typeof value !== 'number' || value <= (maximum as number),
  anyOf: (value, { anyOf }) => (anyOf as JsonSchema[]).some((schema) => isValid(value, schema)),
  items: (value, { items }) =>
    !Array.isArray(value) || value.every((item) => isValid(item, items as JsonSchema)),
  required: (value, { required }) =>
    !isObject(value) || (required as string[]).every((name) => Object.hasOwn(value, name)),
  properties: (value, { properties }) =>
    !isObject(value) ||
    Object.entries(properties as Record<string, JsonSchema>).every(
      ([name, schema]) => !Object.hasOwn(value, name) || isValid(value[name], schema),
    ),
  additionalProperties: (_, { additionalProperties }) => additionalProperties === true,
  // biome-ignore lint/suspicious/noThenProperty: the JSON Schema keyword.
  then: (value, schema) =>
    !isValid(value, schema.if as JsonSchema) || isValid(value, schema.then as JsonSchema),
  if: () => true,
};

/** A draft 2020-12 validator of the keywords that are published; it fails on any other. */
export function isValid(value: unknown, schema: JsonSchema): boolean {
  return Object.keys(schema).every((keyword) => {
    if (ANNOTATIONS.has(keyword)) return true;
    const check = KEYWORDS[keyword];
    if (!check) throw new Error(`keyword ${keyword} is not known`);
    return check(value, schema);
  });
}
