/** Options of every setting, for who asks what holds. */
import type { Option } from 'commander';
import { SETTINGS } from '../schema/policy.js';
import { familyAlphaOption } from './decision-options.js';
import { filterOptions, gatedKindOption, gateOptions, logOptions } from './options.js';

export const settingOptions = (): readonly Option[] => {
  const options = [
    ...logOptions().flatMap((group) => group.options),
    ...filterOptions().options,
    ...gateOptions([gatedKindOption(), familyAlphaOption()]).options,
  ];
  return SETTINGS.flatMap(({ flag }) => options.find(({ long }) => long === flag) ?? []);
};
