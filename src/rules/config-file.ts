import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { isSingle, parseNumberPattern } from '../calls/number-pattern.ts';
import type { Tenant } from '../calls/tenant.ts';
import { OptionError, type OptionProblem, type Options, optionsSchema } from '../options.ts';
import type { Environment } from './environment.ts';
import { describeIssues } from './option-issues.ts';
import { makeRules } from './make-rules.ts';
import type { Rule, RuleTls } from './rule.ts';
import { checkPattern, checkRule } from './rule-checks.ts';
import { readTls, TlsFileError } from './rule-tls.ts';
import { keysOfSchema } from './schema-keys.ts';
import { type Path, YamlSource } from './yaml-source.ts';

const MAX_BYTES = 16 * 1024 * 1024;
const DEFAULT = 'ringside.yaml';
const HINT = 'copy ringside.example.yaml to begin with, or name another with --config';

/** Where a rule stands in the configuration file. */
export interface RulePlace {
  readonly file: string;
  readonly line: number;
  /** Its URL came from the environment, so that it may be secret. */
  readonly isUrlHidden: boolean;
}

/** A configuration, checked: options, numbering plans and call event rules. */
export interface Configuration {
  readonly options: Options;
  readonly tenants: readonly Tenant[];
  readonly rules: readonly Rule[];
  /** Where the rules stand in the file, by their ids. */
  readonly places: ReadonlyMap<string, RulePlace>;
  /** What is allowed but probably not meant, one line each with its place. */
  readonly warnings: readonly OptionProblem[];
}

/** Reads and checks a configuration file. @throws OptionError with every mistake in it. */
export function loadConfiguration(path: string, environment: Environment = process.env): Configuration {
  return parseConfiguration(path, readText(path), environment);
}

function readText(path: string): string {
  try {
    const bytes = readFileSync(path);
    if (bytes.length > MAX_BYTES) throw new Error('larger than 16 MB');
    if (!isUtf8(bytes)) throw new OptionError(path, [locateForeignText(bytes)]);
    return new TextDecoder().decode(bytes);
  } catch (error) {
    if (error instanceof OptionError) throw error;
    throw new OptionError(path, [{ line: 0, column: 0, path: '', text: explain(path, error) }]);
  }
}

/** Where the first line stands that is not UTF-8. */
function locateForeignText(bytes: Buffer): OptionProblem {
  const lines = bytes.toString('latin1').split('\n');
  const line = lines.findIndex((text) => !isUtf8(Buffer.from(text, 'latin1'))) + 1;
  return { line, column: 1, path: '', text: 'UTF-8 text is expected, found other bytes' };
}

function explain(path: string, error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const known: { readonly [code: string]: string } = {
    ENOENT: basename(path) === DEFAULT ? `no such file; ${HINT}` : 'no such file',
    EISDIR: 'a directory, not a configuration file',
    EACCES: 'not readable: permission denied',
    ENAMETOOLONG: 'no such file',
  };
  return known[code ?? ''] ?? message;
}

/** Checks the text of a configuration; `file` names it in errors. @throws OptionError */
export function parseConfiguration(file: string, text: string, environment: Environment): Configuration {
  const source = new YamlSource(file, text, environment);
  const result = optionsSchema.safeParse(source.value);
  if (!result.success) throw new OptionError(file, inOrder(describeIssues(result.error.issues, source, keysOfSchema)));
  const options = result.data;
  const checks = new Checks(options, source, dirname(file));
  if (checks.problems.length > 0) throw new OptionError(file, inOrder(checks.problems));
  const tenants = options.tenants.map(makeTenant);
  const rules = makeRules(options, checks.tls);
  const places = new Map(rules.map(({ id }, r) => [id, findPlace(file, source, r)]));
  return { options, tenants, rules, places, warnings: inOrder(checks.warnings) };
}

const findPlace = (file: string, source: YamlSource, r: number): RulePlace => ({
  file: basename(file),
  line: source.line(['callEvents', r]),
  isUrlHidden: source.isHidden(['callEvents', r, 'url']),
});

const inOrder = (problems: readonly OptionProblem[]): OptionProblem[] =>
  problems.toSorted((a, b) => a.line - b.line || a.column - b.column);

/** The first entry that fits counts, so that one number in a range can be told apart: the narrow ones come first. */
const makeTenant = (tenant: Options['tenants'][number]): Tenant => ({
  ...tenant,
  extensions: tenant.extensions.toSorted((a, b) => breadth(a.number) - breadth(b.number)),
});

const breadth = (number: string): number => (isSingle(number) ? 0 : number === '*' ? 3 : number.includes('?') ? 2 : 1);

/** What the schema can't tell: whether the parts fit together. */
class Checks {
  readonly problems: OptionProblem[] = [];
  readonly warnings: OptionProblem[] = [];
  /** TLS of the rules that have it, by their place. */
  readonly tls = new Map<number, RuleTls>();
  readonly #options: Options;
  readonly #source: YamlSource;
  readonly #folder: string;

  constructor(options: Options, source: YamlSource, folder: string) {
    this.#options = options;
    this.#source = source;
    this.#folder = folder;
    this.#checkTenants();
    this.#checkRules();
    this.#checkAccess();
    this.#checkCertificates();
    this.#readTls();
  }

  #checkCertificates(): void {
    const { listen, tls, engine } = this.#options.sip;
    const secure = listen.findIndex((address) => /^(tls|wss):/.test(address));
    if (engine !== 'embedded' || secure < 0 || (tls.cert !== '' && tls.key !== '')) return;
    const text = `sip.tls.cert and sip.tls.key are expected for ${listen[secure]}`;
    this.problems.push(this.#source.problem(['sip', 'listen', secure], text));
  }

  /** Files that many rules name are read once. */
  #readTls(): void {
    const known = new Map<string, RuleTls>();
    this.#options.callEvents.forEach(({ tls }, r) => {
      if (!tls) return;
      const key = JSON.stringify(tls);
      try {
        const read = known.get(key) ?? readTls(tls, this.#folder);
        known.set(key, read);
        this.tls.set(r, read);
      } catch (error) {
        if (!(error instanceof TlsFileError)) throw error;
        this.problems.push(this.#source.problem(['callEvents', r, 'tls', error.field], error.message));
      }
    });
  }

  #checkTenants(): void {
    const prefixes = new Map<string, Path>();
    const domains = new Map<string, Path>();
    const dids = new Map<string, Path>();
    this.#options.tenants.forEach((tenant, t) => {
      const path = ['tenants', t];
      this.#checkUnique(
        prefixes,
        tenant.prefix,
        [...path, 'prefix'],
        tenant.prefix === '' ? 'another tenant has no prefix either' : '',
      );
      tenant.domains.forEach((domain, i) => this.#checkUnique(domains, domain, [...path, 'domains', i]));
      const numbers = new Map<string, Path>();
      tenant.extensions.forEach(({ number, dids: own }, i) => {
        const at = [...path, 'extensions', i];
        this.#checkPattern(number, at);
        this.#checkUnique(numbers, number, at);
        this.#checkShort(number, tenant.prefix, at);
        if (own.length > 0 && !isSingle(number)) {
          this.problems.push(this.#source.problem(at, `a single number is expected, ${number} has several`, 'dids'));
        }
        own.forEach((did, d) => this.#checkUnique(dids, did.replace(/^\+/, ''), [...at, 'dids', d]));
      });
    });
  }

  #checkUnique(seen: Map<string, Path>, value: string, path: Path, text = `${value} is given twice`): void {
    if (seen.has(value)) this.problems.push(this.#source.problem(path, text || `${value} is given twice`));
    else seen.set(value, path);
  }

  #checkShort(number: string, prefix: string, path: Path): void {
    const start = `${prefix}*`;
    if (prefix === '' || !number.startsWith(start)) return;
    const text = `the number without the tenant's prefix is expected: ${number.slice(start.length)}`;
    this.problems.push(this.#source.problem(path, text));
  }

  #checkPattern(text: string, path: Path): void {
    const wrong = checkPattern(text);
    if (wrong !== undefined) this.problems.push(this.#source.problem(path, wrong));
  }

  #checkRules(): void {
    this.#options.callEvents.forEach((entry, r) => {
      for (const { path, key, text } of checkRule(entry)) {
        this.problems.push(this.#source.problem(this.#locate(r, path), text, key));
      }
      entry.extension.forEach((text, i) => {
        if (this.#isKnown(text)) return;
        const path = this.#locate(r, ['extension', i]);
        this.warnings.push(this.#source.problem(path, `no tenant has the extension ${text}`));
      });
    });
  }

  /** Who may come in for what nobody has sees nothing. */
  #checkAccess(): void {
    const prefixes = new Set(this.#options.tenants.map(({ prefix }) => prefix));
    for (const kind of ['users', 'tokens', 'clients'] as const) {
      this.#options.http[kind].forEach(({ tenant }, i) => {
        if (tenant === undefined || prefixes.has(tenant)) return;
        this.warnings.push(this.#source.problem(['http', kind, i, 'tenant'], `no tenant has the prefix ${tenant}`));
      });
    }
    this.#options.http.users.forEach(({ extension }, i) => {
      if (extension === undefined || (isSingle(extension) && this.#isKnown(extension))) return;
      this.warnings.push(
        this.#source.problem(['http', 'users', i, 'extension'], `no tenant has the extension ${extension}`),
      );
    });
  }

  /** Where a part of a rule stands: its extension may be one without a list. */
  #locate(r: number, path: Path): Path {
    const { callEvents } = this.#source.value as { callEvents: { extension: unknown }[] };
    const isOne = path[0] === 'extension' && !Array.isArray(callEvents[r]!.extension);
    return ['callEvents', r, ...(isOne ? ['extension'] : path)];
  }

  /** Whether a single number is an extension; patterns and ranges may cover any. */
  #isKnown(text: string): boolean {
    if (!isSingle(text)) return true;
    return this.#options.tenants.some(({ prefix, extensions }) => {
      const start = prefix === '' ? '' : `${prefix}*`;
      if (!text.startsWith(start)) return false;
      const short = text.slice(start.length);
      return extensions.some(({ number }) => matches(number, short));
    });
  }
}

function matches(pattern: string, number: string): boolean {
  try {
    return parseNumberPattern(pattern)(number);
  } catch {
    return true; // told as a mistake of its own
  }
}
