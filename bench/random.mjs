/** Seeded randomness (mulberry32, https://gist.github.com/tommyettinger/46a874533244883189143505d203312c). */
export function randomFrom(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const below = (n) => Math.floor(next() * n);
  const hex = (digits) => {
    let text = '';
    while (text.length < digits) text += below(0x10000).toString(16).padStart(4, '0');
    return text.slice(0, digits);
  };
  return {
    next,
    below,
    hex,
    between: (low, high) => low + below(high - low + 1),
    chance: (share) => next() < share,
    pick: (list) => list[below(list.length)],
  };
}

const SYLLABLES =
  'ka lo mi ren sta vel to ar shi bu den fa gri ho in jo kel lun mor ne os pra qui ril su'.split(' ');
const POOL = 4 << 20;

/** Sentences of made-up words, some with an umlaut, a quote or a line break, which JSON has to escape. */
export function prosePool(random) {
  const words = Array.from({ length: 6000 }, () => {
    const word = Array.from({ length: random.between(1, 4) }, () => random.pick(SYLLABLES)).join('');
    return random.chance(0.02) ? `${word}ü` : word;
  });
  const parts = [];
  for (let length = 0; length < POOL; ) {
    const sentence = Array.from({ length: random.between(5, 18) }, () =>
      random.chance(0.08) ? `W-${String(random.below(100_000)).padStart(5, '0')}` : random.pick(words),
    );
    if (random.chance(0.1)) sentence[1] = `"${sentence[1]}"`;
    const text = `${sentence.join(' ')}.${random.chance(0.1) ? '\n' : ' '}`;
    parts.push(text);
    length += text.length;
  }
  const pool = parts.join('');
  return (length) => {
    const from = random.below(pool.length - length);
    return pool.slice(from, from + length);
  };
}
