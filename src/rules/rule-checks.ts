import { parseNumberPattern } from '../calls/number-pattern.ts';
import type { Options } from '../options.ts';

/** A rule as it is written, in the file or by the API: checked by the schema, and complete. */
export type RuleEntry = Options['callEvents'][number];

/** What the schema can't tell is wrong with a rule: at a path in it or, with `key`, at that key of the mapping there. */
export interface RuleMistake {
  readonly path: readonly (string | number)[];
  readonly key?: string;
  readonly text: string;
}

/** Whether the parts of a rule fit together. */
export function checkRule({ extension, body, method, url, tls, auth, headers }: RuleEntry): RuleMistake[] {
  const mistakes: RuleMistake[] = extension.flatMap((text, i) => {
    const wrong = checkPattern(text);
    return wrong === undefined ? [] : [{ path: ['extension', i], text: wrong }];
  });
  if (body === 'json' && method === 'GET') {
    mistakes.push({ path: [], key: 'body', text: 'a GET has no body; use method: POST' });
  }
  if (tls && !/^https:/i.test(url)) mistakes.push({ path: [], key: 'tls', text: 'an https URL is expected' });
  const ownHeader = Object.keys(headers).find((name) => name.toLowerCase() === 'authorization');
  if (auth && ownHeader !== undefined) {
    mistakes.push({ path: ['headers'], key: ownHeader, text: 'either this header or auth is expected, found both' });
  }
  return mistakes;
}

/** What is wrong with a number, range or pattern; undefined if nothing is. */
export function checkPattern(text: string): string | undefined {
  try {
    parseNumberPattern(text);
    return undefined;
  } catch (error) {
    return (error as RangeError).message;
  }
}
