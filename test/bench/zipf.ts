/** How many different questions there are, and how much more often the first is asked than the n-th: n to this power. */
const QUESTIONS = 10_000;
const EXPONENT = 1;

/** Ranks from 1 on as people's questions spread: few are asked often, many hardly ever. The same ranks each time. */
export function createZipfRanks(): () => number {
  const shares: number[] = [];
  let total = 0;
  for (let rank = 1; rank <= QUESTIONS; rank++) {
    total += 1 / rank ** EXPONENT;
    shares.push(total);
  }
  const random = createRandom();
  return function nextRank() {
    const wanted = random() * total;
    let [low, high] = [0, QUESTIONS - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((shares[middle] ?? 0) < wanted) low = middle + 1;
      else high = middle;
    }
    return low + 1;
  };
}

/** Marsaglia's xorshift32, from 0 to below 1. */
function createRandom(): () => number {
  let state = 0x9e3779b9;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
