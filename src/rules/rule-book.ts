import type { CallEvent } from '../calls/event.ts';
import { type NumberMatcher, parseNumberPattern } from '../calls/number-pattern.ts';
import type { Rule } from './rule.ts';

const MAX_CACHED = 50_000;
const NONE: readonly Rule[] = [];

/** The call event rules in force: which of them an event is for. */
export class RuleBook {
  readonly #entries: { readonly rule: Rule; readonly matchers: readonly NumberMatcher[] }[];
  readonly #matches = new Map<string, readonly Rule[]>();

  /** Rules match in the order given; a disabled one matches nothing. */
  constructor(rules: readonly Rule[]) {
    this.#entries = rules
      .filter(({ enabled }) => enabled)
      .map((rule) => ({ rule, matchers: rule.extensions.map(parseNumberPattern) }));
  }

  match({ extension, event }: Pick<CallEvent, 'extension' | 'event'>): readonly Rule[] {
    if (this.#entries.length === 0) return NONE;
    const key = `${event} ${extension}`;
    const known = this.#matches.get(key);
    if (known) return known;
    const rules = this.#entries
      .filter(({ rule, matchers }) => rule.events.includes(event) && matchers.some((matches) => matches(extension)))
      .map(({ rule }) => rule);
    if (this.#matches.size >= MAX_CACHED) this.#matches.clear();
    this.#matches.set(key, rules.length > 0 ? rules : NONE);
    return rules;
  }
}
