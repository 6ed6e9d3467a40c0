/** Tells whether a number is meant. */
export type NumberMatcher = (number: string) => boolean;

/** Whether one number is meant, and no range or pattern. */
export const isSingle = (text: string): boolean => text !== '*' && !/\?|\d-\d/.test(text);

const RANGE = /^([^-]*?)(\d+)-(\d+)$/;

/**
 * Reads `101` (one number), `110-119` or `0003*110-119` (a range, both ends included, all of one length),
 * `0003*1??` (`?` is any one character), or `*` alone (every number). Elsewhere `*` is itself.
 *
 * @throws RangeError with a sentence that says what is wrong.
 */
export function parseNumberPattern(text: string): NumberMatcher {
  if (text === '') throw new RangeError('a number, a range (110-119), a pattern (1??) or "*" is expected, not nothing');
  if (text === '*') return () => true;
  const range = RANGE.exec(text);
  if (range) return matchRange(text, range[1]!, range[2]!, range[3]!);
  if (text.includes('?')) return matchWildcards(text);
  return (number) => number === text;
}

function matchRange(text: string, prefix: string, first: string, last: string): NumberMatcher {
  if (first.length !== last.length)
    throw new RangeError(`both ends of the range ${text} need the same number of digits`);
  if (first > last) throw new RangeError(`the range ${text} ends before it begins`);
  return (number) => {
    if (number.length !== prefix.length + first.length || !number.startsWith(prefix)) return false;
    const digits = number.slice(prefix.length);
    return /^\d+$/.test(digits) && digits >= first && digits <= last;
  };
}

function matchWildcards(text: string): NumberMatcher {
  return (number) => {
    if (number.length !== text.length) return false;
    for (let i = 0; i < text.length; i++) if (text[i] !== '?' && text[i] !== number[i]) return false;
    return true;
  };
}
