/**
 * fast-check, which by day draws the same cases in every run: what fails then is what was changed. By night it draws new
 * ones; LAKELOG_SEED repeats those of a failure.
 */
import fc from 'fast-check';

const { LAKELOG_NIGHTLY, LAKELOG_SEED } = process.env;

if (LAKELOG_SEED !== undefined) fc.configureGlobal({ seed: Number(LAKELOG_SEED) });
else if (LAKELOG_NIGHTLY !== '1') fc.configureGlobal({ seed: 2 });

export default fc;
