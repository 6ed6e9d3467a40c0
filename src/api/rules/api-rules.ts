import { randomInt } from 'node:crypto';
import type { Directory } from '../../calls/directory.ts';
import { isSingle } from '../../calls/number-pattern.ts';
import { makeRule, type RuleDefaults } from '../../rules/make-rules.ts';
import type { Rule } from '../../rules/rule.ts';
import { checkRule, type RuleEntry } from '../../rules/rule-checks.ts';
import { RequestError } from '../problem.ts';
import type { RuleStore } from './rule-store.ts';

/** A rule of the API: as it is written, and as it is in force. */
export interface ApiRule {
  readonly rule: Rule;
  readonly entry: RuleEntry;
  /** Epoch ms of the last change. */
  readonly modified: number;
}

/** What the rules of the API go by; it changes with the configuration. */
export interface RuleSurroundings {
  readonly options: RuleDefaults;
  readonly directory: Directory;
}

/** How many rules there may be. */
export interface RuleLimits {
  readonly rules: number;
  /** For one extension, range or pattern. */
  readonly rulesPerExtension: number;
}

const ID_LENGTH = 30;
const ID_LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** The rules that were made by the API and the page. Every change is stored, then in force. */
export class ApiRules {
  readonly #store: RuleStore;
  readonly #limits: RuleLimits;
  readonly #now: () => number;
  readonly #onChange: (rules: readonly Rule[]) => void;
  readonly #byId = new Map<string, ApiRule>();
  #surroundings: RuleSurroundings;

  /** `onChange` takes the rules over, those that were stored at once. */
  constructor(
    store: RuleStore,
    surroundings: RuleSurroundings,
    limits: RuleLimits,
    onChange: (rules: readonly Rule[]) => void,
    now: () => number = Date.now,
  ) {
    this.#store = store;
    this.#surroundings = surroundings;
    this.#limits = limits;
    this.#onChange = onChange;
    this.#now = now;
    for (const { id, json, modified } of store.list()) this.#add(id, JSON.parse(json) as RuleEntry, modified);
    this.#tell();
  }

  get list(): readonly ApiRule[] {
    return [...this.#byId.values()];
  }

  find(id: string): ApiRule | undefined {
    return this.#byId.get(id);
  }

  /** Another numbering plan, or other defaults. */
  use(surroundings: RuleSurroundings): void {
    this.#surroundings = surroundings;
    for (const [id, { entry, modified }] of this.#byId) this.#add(id, entry, modified);
    this.#tell();
  }

  /** @throws RequestError for what no rule may be, or one too many. */
  create(entry: RuleEntry): ApiRule {
    const { rules } = this.#limits;
    if (this.#byId.size >= rules) throw new RequestError('conflict', `there are ${rules} rules already`);
    return this.#put(makeId(), entry);
  }

  /** @throws RequestError for what no rule may be. */
  change(id: string, entry: RuleEntry): ApiRule {
    return this.#put(id, entry);
  }

  remove(ids: readonly string[]): void {
    this.#store.remove(ids);
    for (const id of ids) this.#byId.delete(id);
    this.#tell();
  }

  #put(id: string, entry: RuleEntry): ApiRule {
    this.#check(entry);
    this.#checkCount(id, entry);
    const modified = this.#now();
    this.#store.put({ id, json: JSON.stringify(entry), modified });
    const added = this.#add(id, entry, modified);
    this.#tell();
    return added;
  }

  #check(entry: RuleEntry): void {
    const problems = checkRule(entry).map(({ path: [field, place], key, text }) => ({
      path: field === 'extension' ? `extensions[${place}]` : (key ?? String(field)),
      text,
    }));
    entry.extension.forEach((text, i) => {
      if (problems.length > 0 || !isSingle(text) || this.#surroundings.directory.known(text)) return;
      problems.push({ path: `extensions[${i}]`, text: `no tenant has the extension ${text}` });
    });
    const [first] = problems;
    if (first) throw new RequestError('bad_request', `${first.path}: ${first.text}`, problems);
  }

  /** Each event of an extension is a request for each of its rules. */
  #checkCount(id: string, { extension }: RuleEntry): void {
    const { rulesPerExtension } = this.#limits;
    const others = this.list.filter(({ rule }) => rule.id !== id);
    const full = extension.find(
      (text) => others.filter(({ entry }) => entry.extension.includes(text)).length >= rulesPerExtension,
    );
    if (full !== undefined)
      throw new RequestError('conflict', `there are ${rulesPerExtension} rules for ${full} already`);
  }

  #add(id: string, entry: RuleEntry, modified: number): ApiRule {
    const rule = makeRule({ id, source: 'api', tls: undefined }, entry, this.#surroundings.options);
    const added = { rule, entry, modified };
    this.#byId.set(id, added);
    return added;
  }

  #tell(): void {
    this.#onChange(this.list.map(({ rule }) => rule));
  }
}

const makeId = (): string =>
  Array.from({ length: ID_LENGTH }, () => ID_LETTERS[randomInt(ID_LETTERS.length)]!).join('');
