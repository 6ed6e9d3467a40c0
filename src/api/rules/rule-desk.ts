import type { Directory } from '../../calls/directory.ts';
import type { GoneRules } from '../../deliveries/gone-rules.ts';
import type { RulePlace } from '../../rules/config-file.ts';
import type { Rule } from '../../rules/rule.ts';
import type { RuleEntry } from '../../rules/rule-checks.ts';
import type { RuleSet } from '../../rules/rule-set.ts';
import type { Principal, Scope } from '../access/scope.ts';
import { RequestError } from '../problem.ts';
import type { ApiRule, ApiRules } from './api-rules.ts';

/** What of the configuration file rules are shown and judged by; it changes with the file. */
export interface RuleContext {
  readonly directory: Directory;
  readonly places: ReadonlyMap<string, RulePlace>;
  readonly gone: Pick<GoneRules, 'has'>;
}

/** Rules as somebody may see and change them. */
export class RuleDesk {
  readonly #all: RuleSet;
  readonly #own: ApiRules;
  readonly #context: () => RuleContext;

  constructor(all: RuleSet, own: ApiRules, context: () => RuleContext) {
    this.#all = all;
    this.#own = own;
    this.#context = context;
  }

  get directory(): Directory {
    return this.#context().directory;
  }

  /** Where a rule of the file stands. */
  place({ id }: Rule): RulePlace | undefined {
    return this.#context().places.get(id);
  }

  /** Whether somebody may see the query of a rule's URL: that of a rule that is there and to be seen, and not secret. */
  showsUrl(scope: Scope, id: string): boolean {
    const rule = this.#own.find(id)?.rule ?? this.#all.find(id);
    return rule !== undefined && covers(scope, rule.extensions) && !this.place(rule)?.isUrlHidden;
  }

  /** Whether its script answered 410 Gone, so that it tells nothing for the time being. */
  isGone(rule: Rule): boolean {
    return this.#context().gone.has(rule);
  }

  /** A rule of the API as it is written. */
  own({ id }: Rule): ApiRule | undefined {
    return this.#own.find(id);
  }

  /** Rules of the file, then those of the API, in their order: those that concern nobody else. */
  list(principal: Principal): readonly Rule[] {
    return this.#all.all.filter((rule) => covers(principal.scope, rule.extensions));
  }

  /** @throws RequestError where there is none, or it is not to be seen. */
  find(principal: Principal, id: string): Rule {
    const rule = this.list(principal).find((other) => other.id === id);
    if (!rule) throw new RequestError('not_found', 'there is no such rule');
    return rule;
  }

  /** @throws RequestError */
  create(principal: Principal, entry: RuleEntry): ApiRule {
    checkWrite(principal, entry.extension);
    return this.#own.create(entry);
  }

  /** @throws RequestError */
  change(principal: Principal, id: string, change: (entry: RuleEntry) => RuleEntry): ApiRule {
    const { entry } = this.#findOwn(principal, id);
    const changed = change(entry);
    checkWrite(principal, changed.extension);
    checkSecrets(entry, changed);
    return this.#own.change(id, changed);
  }

  /** All or none. @throws RequestError */
  remove(principal: Principal, ids: readonly string[]): void {
    for (const id of ids) this.#findOwn(principal, id);
    this.#own.remove(ids);
  }

  #findOwn(principal: Principal, id: string): ApiRule {
    const rule = this.find(principal, id);
    checkWrite(principal, rule.extensions);
    const own = this.#own.find(id);
    if (!own) throw new RequestError('forbidden', 'this rule stands in the configuration file, and is changed there');
    return own;
  }
}

const covers = (scope: Scope, extensions: readonly string[]): boolean =>
  extensions.every((pattern) => scope.covers(pattern));

function checkWrite(principal: Principal, extensions: readonly string[]): void {
  if (!principal.canWrite) throw new RequestError('forbidden', 'you may look, but change nothing');
  if (!covers(principal.scope, extensions)) throw new RequestError('forbidden', 'these extensions are not yours');
}

const SECRETS = ['headers', 'auth', 'secret'] as const;

/** What is secret goes where it was meant for: whoever leads a rule to another host says it anew. @throws RequestError */
function checkSecrets(before: RuleEntry, after: RuleEntry): void {
  if (originOf(before) === originOf(after)) return;
  const kept = SECRETS.filter((field) => after[field] === before[field] && !isEmpty(before[field]));
  const text = 'is to be given anew, or taken away, as the URL leads to another host';
  const [first] = kept;
  const problems = kept.map((path) => ({ path, text }));
  if (first) throw new RequestError('bad_request', `${kept.join(', ')}: ${text}`, problems);
}

const originOf = ({ url }: RuleEntry): string => new URL(url).origin;

const isEmpty = (value: RuleEntry[(typeof SECRETS)[number]]): boolean =>
  value === undefined || Object.keys(value).length === 0;
