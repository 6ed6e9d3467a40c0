import type { CallEvent } from '../calls/event.ts';
import type { Rule } from './rule.ts';
import { RuleBook } from './rule-book.ts';

/** The rules in force: those of the configuration file, then those of the API. Both may change at any time. */
export class RuleSet {
  #ofFile: readonly Rule[];
  #ofApi: readonly Rule[] = [];
  #book: RuleBook;
  #byId: ReadonlyMap<string, Rule>;

  constructor(ofFile: readonly Rule[]) {
    this.#ofFile = ofFile;
    this.#book = new RuleBook(ofFile);
    this.#byId = indexEnabled(ofFile);
  }

  get all(): readonly Rule[] {
    return [...this.#ofFile, ...this.#ofApi];
  }

  useFile(rules: readonly Rule[]): void {
    this.#ofFile = rules;
    this.#index();
  }

  useApi(rules: readonly Rule[]): void {
    this.#ofApi = rules;
    this.#index();
  }

  /** Those that an event is for. */
  match(event: Pick<CallEvent, 'extension' | 'event'>): readonly Rule[] {
    return this.#book.match(event);
  }

  /** An enabled rule by its id. */
  readonly find = (id: string): Rule | undefined => this.#byId.get(id);

  #index(): void {
    this.#book = new RuleBook(this.all);
    this.#byId = indexEnabled(this.all);
  }
}

const indexEnabled = (rules: readonly Rule[]): ReadonlyMap<string, Rule> =>
  new Map(rules.filter(({ enabled }) => enabled).map((rule) => [rule.id, rule]));
