// Numbers of this many digits and more are the same where their ends are: `0049301234567`, `+49301234567`, `0301234567`.
const TELLING_DIGITS = 7;

// A service dialled before a number: `*67`, `#31#`.
const SERVICE_CODE = /^[*#]+(?:\d{1,4}[*#]+)?/;

/** What two writings of the same number have in common. */
export const numberKey = (number: string): string => (isLong(number) ? number.slice(-TELLING_DIGITS) : number);

/** Whether two numbers are one, written with or without the prefixes of country and trunk. */
export function isSameNumber(a: string, b: string): boolean {
  if (a === b) return true;
  if (!isLong(a) || !isLong(b)) return false;
  const bare = [a, b].map((number) => stripService(number).replace(/^0+/, ''));
  const [long, short] = bare[0]!.length >= bare[1]!.length ? [bare[0]!, bare[1]!] : [bare[1]!, bare[0]!];
  return short.length >= TELLING_DIGITS && long.endsWith(short);
}

/** Whether a number tells anything of whom it stands for. */
export const isTelling = (number: string): boolean => number !== '' && number !== 'anonymous';

const isLong = (number: string): boolean => number.length > TELLING_DIGITS && /^\d{8,}$/.test(stripService(number));

const stripService = (number: string): string =>
  number.startsWith('*') || number.startsWith('#') ? number.replace(SERVICE_CODE, '') : number;
