import { lookup as lookUpBySystem, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';

type Found = (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void;

/**
 * Looks names up, each once at a time: the system has few threads for it, and a name whose server does not answer holds one for many
 * seconds; however many requests wait for that name, it is no more than one.
 */
export class NameLookup {
  readonly #lookUp: LookupFunction;
  readonly #waiting = new Map<string, Found[]>();

  constructor(lookUp: LookupFunction = lookUpBySystem) {
    this.#lookUp = lookUp;
  }

  readonly lookUp: LookupFunction = (host, options, done) => {
    const found: Found = (error, addresses) => {
      const [first] = addresses;
      if (error || !first || options.all) done(error, addresses);
      else done(null, first.address, first.family);
    };
    const key = JSON.stringify([host, options.family, options.hints]);
    const waiting = this.#waiting.get(key);
    if (waiting) waiting.push(found);
    else this.#ask(key, host, options, found);
  };

  #ask(key: string, host: string, options: Parameters<LookupFunction>[1], first: Found): void {
    const waiting = [first];
    this.#waiting.set(key, waiting);
    this.#lookUp(host, { ...options, all: true }, (error, addresses) => {
      this.#waiting.delete(key);
      for (const found of waiting) found(error, error ? [] : (addresses as LookupAddress[]));
    });
  }
}
